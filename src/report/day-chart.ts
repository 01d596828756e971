/** The chart of a report: old hellos by day, or by several days where the log covers much time. */
import { HELLO_KINDS, OLD_KINDS } from '../observe/hello/hello-kind.js';
import type { ChartData } from '../web/chart-data.js';
import { everyDay } from './calendar.js';
import { count } from './format.js';
import type { Day } from './tally.js';

export function dayChart(days: readonly Day[]): ChartData {
  const all = everyDay(days);
  const perSlot = all.length <= MAX_SLOTS ? 1 : Math.ceil(all.length / MAX_SLOTS / DAYS_A_WEEK) * DAYS_A_WEEK;
  const starts = all.filter((_, index) => index % perSlot === 0);
  return {
    title: 'Old hellos',
    span: count(all.length, 'day'),
    startsSeconds: starts.map(({ day }) => Date.parse(day) / 1000),
    slotSeconds: perSlot * DAY_SECONDS,
    series: OLD_KINDS.map((kind) => ({
      label: HELLO_KINDS[kind],
      colour: `--kind-${kind}`,
      values: starts.map((_, slot) =>
        all.slice(slot * perSlot, (slot + 1) * perSlot).reduce((sum, { hellos }) => sum + hellos[kind], 0),
      ),
    })),
  };
}

const DAY_SECONDS = 24 * 60 * 60;
const DAYS_A_WEEK = 7;
/** Bars that a phone can still show apart. */
const MAX_SLOTS = 120;
