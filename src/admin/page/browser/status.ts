/** The script of the status page: draws the chart, sorts tables, and refreshes the page from /status.json. */
import { HELLO_KINDS, OLD_KINDS } from '../../../observe/hello/hello-kind.js';
import type { HelloSlot, Status } from '../../../observe/status/status-shape.js';
import { StackedBars } from '../../../web/browser/chart.js';
import { makeSortable, sort } from '../../../web/browser/sorting.js';
import type { ChartData } from '../../../web/chart-data.js';
import { moment } from '../../../web/format.js';
import { summary, uptime } from '../summary.js';
import { TABLES } from '../tables.js';

interface Range {
  readonly label: string;
  readonly slotSeconds: number;
  readonly slots: (hellos: Status['hellos']) => readonly HelloSlot[];
}

const RANGES: readonly Range[] = [
  { label: '24 hours', slotSeconds: 3600, slots: ({ hours }) => hours.slice(-24) },
  { label: '7 days', slotSeconds: 3600, slots: ({ hours }) => hours },
  { label: '90 days', slotSeconds: 24 * 3600, slots: ({ days }) => days },
];

const REFRESH_INTERVAL_MS = 5_000;
const REFRESH_TIMEOUT_MS = 4_000;

const element = (id: string): HTMLElement => document.getElementById(id)!;
const tableOf = (id: string): HTMLTableElement => element(`${id}-table`) as HTMLTableElement;

const chart = new StackedBars(element('chart'));
const pause = element('pause') as HTMLButtonElement;
let range: Range = RANGES[1]!;
let latest: Status | undefined;
/** The HTML of each part, so that only what changed is replaced. */
const shown = new Map<string, string>();

function fill(id: string, content: string): boolean {
  if (shown.get(id) === content) return false;
  shown.set(id, content);
  element(id).innerHTML = content;
  return true;
}

function chartData({ hellos }: Status, { label, slotSeconds, slots }: Range): ChartData {
  const all = slots(hellos);
  return {
    title: 'Old hellos',
    span: label,
    startsSeconds: all.map(({ start }) => Date.parse(start) / 1000),
    slotSeconds,
    series: OLD_KINDS.map((kind) => ({
      label: HELLO_KINDS[kind],
      colour: `--kind-${kind}`,
      values: all.map((slot) => slot[kind]),
    })),
  };
}

function show(status: Status): void {
  latest = status;
  element('uptime').textContent = uptime(status);
  element('now').textContent = `${moment(status.now)} UTC`;
  fill('summary', summary(status).text);
  for (const { id, body } of Object.values(TABLES)) {
    if (fill(`${id}-body`, body(status).text)) sort(tableOf(id));
  }
  chart.show(chartData(status, range));
}

async function refresh(): Promise<void> {
  try {
    const response = await fetch('/status.json', { signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS) });
    show((await response.json()) as Status);
    document.body.classList.remove('stale');
  } catch {
    document.body.classList.add('stale');
    element('now').textContent = 'oldhello does not answer';
  }
}

function addRangeButtons(): void {
  const group = element('ranges');
  const buttons = RANGES.map((one) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = one.label;
    button.setAttribute('aria-pressed', String(one === range));
    button.addEventListener('click', () => {
      range = one;
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
      if (latest !== undefined) chart.show(chartData(latest, range));
    });
    return button;
  });
  group.replaceChildren(...buttons);
  group.hidden = false;
}

const isPaused = (): boolean => pause.getAttribute('aria-pressed') === 'true';

for (const { id } of Object.values(TABLES)) makeSortable(tableOf(id));
(element('numbers') as HTMLDetailsElement).open = false;
addRangeButtons();
pause.hidden = false;
pause.addEventListener('click', () => {
  pause.setAttribute('aria-pressed', String(!isPaused()));
  pause.textContent = isPaused() ? 'Resume' : 'Pause';
});
window.setInterval(() => {
  if (!isPaused() && !document.hidden) void refresh();
}, REFRESH_INTERVAL_MS);
void refresh();
