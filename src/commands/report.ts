/** `oldhello report`: who still sends old hellos, from the logs. */
import { writeFileSync } from 'node:fs';
import { csvView } from '../report/csv-view.js';
import { htmlView } from '../report/html-view.js';
import { Progress } from '../report/progress.js';
import { readReport } from '../report/read-report.js';
import { STANDARD_INPUT, totalSize } from '../report/source.js';
import type { Period } from '../report/tally.js';
import { textView } from '../report/text-view.js';
import { DAY } from '../report/calendar.js';
import { GOOD, say, UsageError, type Arguments, type Command } from './command.js';

export const report: Command = {
  summary: 'show from the logs who still sends old hellos',
  usage: `oldhello report [FILE...] [options]

Reads logs of oldhello and shows who sends old hellos, whether it gets less, and who
would be cut off if something old were switched off. A FILE holds lines as oldhello
writes them, or as \`journalctl -o json\` does; it may be compressed with gzip. Without
FILE, or with -, standard input is read. Times are in UTC.

  --days N        only the last N days
  --since TIME    only from this day or time on: 2026-11-24 or 2026-11-24T08:00:00Z
  --until TIME    only before this day or time
  --top N         rows of each table in the terminal (20)
  --json          everything, for programs
  --csv           the senders, for spreadsheets
  --html FILE     a page with charts that needs nothing else

  journalctl -u oldhello -o json | oldhello report --days 30`,
  options: {
    days: { type: 'string' },
    since: { type: 'string' },
    until: { type: 'string' },
    top: { type: 'string' },
    json: { type: 'boolean' },
    csv: { type: 'boolean' },
    html: { type: 'string' },
  },
  allowPositionals: true,
  async run({ values, positionals }) {
    if (values['json'] === true && values['csv'] === true) {
      throw new UsageError('--json and --csv exclude each other');
    }
    process.stdout.once('error', stopQuietly);
    const paths = positionals.length === 0 ? [STANDARD_INPUT] : positionals;
    const period = periodOf(values, Date.now());
    const top = values['top'] === undefined ? DEFAULT_TOP : wholeNumber('--top', values['top']);
    const progress = new Progress(process.stderr, await totalSize(paths));
    const { report: found, damaged } = await readReport(paths, period, (bytes) =>
      progress.add(bytes),
    ).finally(() => progress.end());
    for (const { path, why } of damaged) {
      process.stderr.write(`oldhello: ${path}: ${why}; what came before it is in the report\n`);
    }
    const { html } = values;
    if (typeof html === 'string') writeFileSync(html, htmlView(found));
    if (values['json'] === true) say(JSON.stringify({ ...found, damaged }, undefined, 2));
    else if (values['csv'] === true) process.stdout.write(csvView(found));
    else if (typeof html === 'string') say(`written to ${html}`);
    else process.stdout.write(textView(found, { width: width(), color: hasColor(), top }));
    return GOOD;
  },
};

/** Whoever reads us, such as `head`, has seen enough. */
function stopQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(GOOD);
}

/** @throws UsageError */
function periodOf({ days, since, until }: Arguments['values'], now: number): Period {
  if (days !== undefined && since !== undefined)
    throw new UsageError('--days and --since exclude each other');
  const daysAgo =
    days === undefined ? undefined : new Date(now - wholeNumber('--days', days) * DAY).toISOString();
  return {
    since: since === undefined ? daysAgo : timeOf('--since', since),
    until: until === undefined ? undefined : timeOf('--until', until),
  };
}

/** @throws UsageError */
function timeOf(option: string, value: string | boolean): string {
  const time = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(time)) {
    throw new UsageError(
      `${option} takes a day or a time in UTC, such as 2026-11-24 or 2026-11-24T08:00:00Z`,
    );
  }
  return new Date(time).toISOString();
}

/** @throws UsageError */
function wholeNumber(option: string, value: string | boolean): number {
  if (typeof value !== 'string' || !/^[1-9]\d{0,4}$/.test(value)) {
    throw new UsageError(`${option} takes a whole number from 1 to 99999`);
  }
  return Number(value);
}

function width(): number {
  const columns = process.stdout.isTTY ? process.stdout.columns : Number(process.env['COLUMNS']);
  return Number.isInteger(columns) && columns > 0 ? columns : DEFAULT_WIDTH;
}

/** https://no-color.org: any text in it that is not empty. */
function hasColor(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/;
const DEFAULT_TOP = 20;
/** Columns, where nobody says how many there are. */
const DEFAULT_WIDTH = 100;
