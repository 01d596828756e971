/** The chart of old hellos over time: stacked bars, drawn by uPlot, in the colours of the page. */
import type uPlotClass from 'uplot';
import type { HelloHistory, HelloSlot } from '../../observe/status/status-shape.js';
import { grouped, HELLO_KINDS, OLD_KINDS } from './words.js';

declare const uPlot: typeof uPlotClass;

export interface Range {
  readonly label: string;
  readonly slots: (hellos: HelloHistory) => readonly HelloSlot[];
  /** How a slot is called. */
  readonly name: (start: Date) => string;
}

const hour = (start: Date): string => `${start.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export const RANGES: readonly Range[] = [
  { label: '24 hours', slots: ({ hours }) => hours.slice(-24), name: hour },
  { label: '7 days', slots: ({ hours }) => hours, name: hour },
  { label: '90 days', slots: ({ days }) => days, name: (start) => start.toISOString().slice(0, 10) },
];

export class HelloChart {
  readonly #target: HTMLElement;
  #plot: uPlotClass | undefined;
  #shown: { slots: readonly HelloSlot[]; range: Range } | undefined;

  constructor(target: HTMLElement) {
    this.#target = target;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(target);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
  }

  show(hellos: HelloHistory, range: Range): void {
    const slots = range.slots(hellos);
    const same = this.#shown?.range === range;
    this.#shown = { slots, range };
    if (same && this.#plot !== undefined) this.#plot.setData(stacked(slots));
    else this.#redraw();
    const total = OLD_KINDS.map((kind) => {
      return `${grouped(slots.reduce((sum, slot) => sum + slot[kind], 0))} ${HELLO_KINDS[kind]}`;
    });
    this.#target.setAttribute('aria-label', `Old hellos, ${range.label}: ${total.join(', ')}`);
  }

  #redraw(): void {
    if (this.#shown === undefined) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), stacked(this.#shown.slots), this.#target);
  }

  #size(): { width: number; height: number } {
    const width = this.#target.clientWidth;
    return { width, height: width < NARROW ? 200 : 260 };
  }

  #options(): uPlotClass.Options {
    const style = getComputedStyle(this.#target);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--muted'),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const bars = uPlot.paths.bars!({ size: [0.8, 40], align: 1, gap: 1 });
    return {
      ...this.#size(),
      tzDate: (timestamp) => uPlot.tzDate(new Date(timestamp * 1000), 'Etc/UTC'),
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { y: { range: (_, __, max) => [0, Math.max(MIN_SCALE, max * 1.1)] } },
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
        {
          label: 'When',
          value: (_, time: number | null) =>
            time === null ? this.#shown!.range.label : this.#shown!.range.name(new Date(time * 1000)),
        },
        ...STACKING.map((kind) => ({
          label: HELLO_KINDS[kind],
          fill: colour(`--kind-${kind}`),
          stroke: colour(`--kind-${kind}`),
          width: 0,
          points: { show: false },
          paths: bars,
          value: (_: uPlotClass, __: number, ___: number, index: number | null) => {
            const slots = this.#shown!.slots;
            const counted = index === null ? undefined : slots[index]?.[kind];
            return grouped(counted ?? slots.reduce((sum, slot) => sum + slot[kind], 0));
          },
        })),
      ],
    };
  }
}

/** "12:00", and where a day begins, "18 Nov". */
function tickName(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  if (step < DAY && seconds % DAY !== 0) return date.toISOString().slice(11, 16);
  return date.toLocaleDateString('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
}

/** Seconds. */
const DAY = 24 * 60 * 60;

/** The highest bar is drawn first, and covered from below by the lower ones. */
const STACKING = [...OLD_KINDS].reverse();

/** Each series on top of those it covers. */
function stacked(slots: readonly HelloSlot[]): uPlotClass.AlignedData {
  const heights = STACKING.map((_, index) => {
    const kinds = STACKING.slice(index);
    return slots.map((slot) => kinds.reduce((sum, kind) => sum + slot[kind], 0));
  });
  return [slots.map(({ start }) => Date.parse(start) / 1000), ...heights];
}

/** Pixels. */
const NARROW = 600;
/** So that one hello is no tower. */
const MIN_SCALE = 4;
const WHOLE_NUMBERS = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 9 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);
