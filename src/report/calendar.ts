/** Days in UTC, as in the log. */
import { emptyDay, type Day } from './tally.js';

/** Every day from the first to the last with connections, those without among them, at most the last MAX_SHOWN_DAYS. */
export function everyDay(days: readonly Day[]): Day[] {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return [];
  const known = new Map(days.map((day) => [day.day, day]));
  const end = Date.parse(last.day);
  const start = Math.max(Date.parse(first.day), end - (MAX_SHOWN_DAYS - 1) * DAY_MS);
  return Array.from({ length: Math.round((end - start) / DAY_MS) + 1 }, (_, index) => {
    const day = new Date(start + index * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
    return known.get(day) ?? emptyDay(day);
  });
}

/** From the first to the last connection, both counted. */
export function daysBetween(first: string, last: string): number {
  const day = (time: string): number => Date.parse(time.slice(0, 'YYYY-MM-DD'.length));
  return Math.round((day(last) - day(first)) / DAY_MS) + 1;
}

export const DAY_MS = 24 * 60 * 60 * 1000;
/** Five years; a clock that was wrong once must not make a chart of centuries. */
const MAX_SHOWN_DAYS = 1827;
