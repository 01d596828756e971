/** Stacked bars over time, drawn by uPlot in the colours of the page. The chart of the status page and of the report. */
import uPlot from 'uplot';
import type { ChartData } from '../chart-data.js';
import { grouped } from '../format.js';

export class StackedBars {
  readonly #target: HTMLElement;
  #plot: uPlot | undefined;
  #shown: ChartData | undefined;

  constructor(target: HTMLElement) {
    this.#target = target;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(target);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
  }

  show(data: ChartData): void {
    const same = this.#shown?.span === data.span && this.#shown.slotSeconds === data.slotSeconds;
    this.#shown = data;
    if (same && this.#plot !== undefined) this.#plot.setData(stacked(data));
    else this.#redraw();
    const totals = data.series.map(({ label, values }) => `${grouped(sum(values))} ${label}`);
    this.#target.setAttribute('aria-label', `${data.title}, ${data.span}: ${totals.join(', ')}`);
  }

  #redraw(): void {
    if (this.#shown === undefined) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(this.#shown), stacked(this.#shown), this.#target);
  }

  #size(): { width: number; height: number } {
    const width = this.#target.clientWidth;
    return { width, height: width < NARROW_PX ? 200 : 260 };
  }

  #options({ series }: ChartData): uPlot.Options {
    const style = getComputedStyle(this.#target);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const paths = uPlot.paths.bars!({ size: [0.8, MAX_BAR_PX, MIN_BAR_PX], align: 0, gap: 1 });
    return {
      ...this.#size(),
      tzDate: (timestamp) => uPlot.tzDate(new Date(timestamp * 1000), 'Etc/UTC'),
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { range: () => timeRange(this.#shown!) },
        y: { range: (_, __, max) => [0, Math.max(MIN_SCALE, max * 1.1)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 64,
          values: (_, ticks, __, ___, step) => ticks.map((tick) => tickName(tick, step)),
        },
        { ...axis, size: 48, incrs: WHOLE_NUMBERS, values: (_, ticks) => ticks.map((tick) => grouped(tick)) },
      ],
      series: [
        { label: 'When', value: (_, __, ___, index) => this.#nameOf(index) },
        // The highest bar is drawn first, and the lower ones cover it.
        ...[...series].reverse().map(({ label, colour: name }) => ({
          label,
          fill: colour(name),
          stroke: colour(name),
          width: 0,
          points: { show: false },
          paths,
          value: (_: uPlot, __: number, ___: number, index: number | null) => this.#valueOf(label, index),
        })),
      ],
    };
  }

  #nameOf(index: number | null): string {
    const { span, startsSeconds, slotSeconds } = this.#shown!;
    const start = index === null ? undefined : startsSeconds[index];
    return start === undefined ? span : slotName(start, slotSeconds);
  }

  /** Of one slot, or of all of them where the pointer is on none. */
  #valueOf(label: string, index: number | null): string {
    const values = this.#shown!.series.find((one) => one.label === label)?.values ?? [];
    return grouped(index === null ? sum(values) : (values[index] ?? sum(values)));
  }
}

/** From the beginning of the first slot to the end of the last, so that both bars are inside. */
function timeRange({ startsSeconds, slotSeconds }: ChartData): [number, number] {
  const end = startsSeconds.at(-1)! + slotSeconds;
  return [Math.min(startsSeconds[0]!, end - MIN_SLOTS * slotSeconds), end];
}

/** Times in the middle of the slots, then the heights of the bars, the highest first. */
function stacked({ startsSeconds, slotSeconds, series }: ChartData): uPlot.AlignedData {
  const heights = series.map((_, top) =>
    startsSeconds.map((__, slot) => sum(series.slice(0, top + 1).map(({ values }) => values[slot] ?? 0))),
  );
  return [startsSeconds.map((start) => start + slotSeconds / 2), ...heights.reverse()];
}

function slotName(startSeconds: number, slotSeconds: number): string {
  const time = new Date(startSeconds * 1000).toISOString();
  if (slotSeconds < DAY_SECONDS) return `${time.slice(0, 16).replace('T', ' ')} UTC`;
  return slotSeconds === DAY_SECONDS
    ? time.slice(0, 10)
    : `${time.slice(0, 10)}, ${slotSeconds / DAY_SECONDS} days`;
}

/** "12:00"; "18 Nov" where a day begins; "Nov 2026" where ticks are months apart. */
function tickName(seconds: number, stepSeconds: number): string {
  const date = new Date(seconds * 1000);
  if (stepSeconds < DAY_SECONDS && seconds % DAY_SECONDS !== 0) return date.toISOString().slice(11, 16);
  const months = stepSeconds >= 28 * DAY_SECONDS;
  const parts = months
    ? ({ month: 'short', year: 'numeric' } as const)
    : ({ day: 'numeric', month: 'short' } as const);
  return date.toLocaleDateString('en-GB', { timeZone: 'UTC', ...parts });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const DAY_SECONDS = 24 * 60 * 60;
/** One day alone would be a bar as wide as the chart. */
const MIN_SLOTS = 7;
const NARROW_PX = 600;
const MAX_BAR_PX = 40;
/** A thinner bar between two pixels is too pale to see. */
const MIN_BAR_PX = 2;
/** One hello must not look like a peak. */
const MIN_SCALE = 4;
const WHOLE_NUMBERS = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 9 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);
