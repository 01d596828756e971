/** What the page does when it has JavaScript: the chart, sorting, and new numbers every few seconds. */
import type { Status } from '../../observe/status/status-shape.js';
import { HelloChart, RANGES, type Range } from './chart.js';
import { makeSortable, sort } from './sorting.js';
import { summary, uptime } from './summary.js';
import { TABLES } from './tables.js';
import { moment } from './words.js';

/** Milliseconds. */
const INTERVAL = 5_000;
const PATIENCE = 4_000;

const element = (id: string): HTMLElement => document.getElementById(id)!;
const tableOf = (id: string): HTMLTableElement => element(`${id}-table`) as HTMLTableElement;

const chart = new HelloChart(element('chart'));
const pause = element('pause') as HTMLButtonElement;
let range: Range = RANGES[1]!;
let latest: Status | undefined;
/** What each part was filled with, so that nothing is touched that did not change. */
const shown = new Map<string, string>();

function fill(id: string, content: string): boolean {
  if (shown.get(id) === content) return false;
  shown.set(id, content);
  element(id).innerHTML = content;
  return true;
}

function show(status: Status): void {
  latest = status;
  element('uptime').textContent = uptime(status);
  element('now').textContent = `${moment(status.now)} UTC`;
  fill('summary', summary(status).text);
  for (const { id, body } of Object.values(TABLES)) {
    if (fill(`${id}-body`, body(status).text)) sort(tableOf(id));
  }
  chart.show(status.hellos, range);
}

async function refresh(): Promise<void> {
  try {
    const response = await fetch('/status.json', { signal: AbortSignal.timeout(PATIENCE) });
    show((await response.json()) as Status);
    document.body.classList.remove('stale');
  } catch {
    document.body.classList.add('stale');
    element('now').textContent = 'oldhello does not answer';
  }
}

function offerRanges(): void {
  const group = element('ranges');
  const buttons = RANGES.map((one) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = one.label;
    button.setAttribute('aria-pressed', String(one === range));
    button.addEventListener('click', () => {
      range = one;
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
      if (latest !== undefined) chart.show(latest.hellos, range);
    });
    return button;
  });
  group.replaceChildren(...buttons);
  group.hidden = false;
}

const isPaused = (): boolean => pause.getAttribute('aria-pressed') === 'true';

for (const { id } of Object.values(TABLES)) makeSortable(tableOf(id));
(element('numbers') as HTMLDetailsElement).open = false;
offerRanges();
pause.hidden = false;
pause.addEventListener('click', () => {
  pause.setAttribute('aria-pressed', String(!isPaused()));
  pause.textContent = isPaused() ? 'Go on' : 'Pause';
});
window.setInterval(() => {
  if (!isPaused() && !document.hidden) void refresh();
}, INTERVAL);
void refresh();
