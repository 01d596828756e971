/** Shared by `report` and `census`: period, output formats, and errors of inputs. */
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { DAY_MS } from '../report/calendar.js';
import { csvView } from '../report/csv-view.js';
import { htmlView } from '../report/html-view.js';
import type { ReadReport } from '../report/read-report.js';
import { SourceError } from '../report/source.js';
import type { Period } from '../report/tally.js';
import { textView } from '../report/text-view.js';
import { FAILED, GOOD, InputError, say, UsageError, type Arguments } from './command.js';

type Values = Arguments['values'];

export const REPORT_OPTIONS = {
  days: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  top: { type: 'string' },
  json: { type: 'boolean' },
  csv: { type: 'boolean' },
  html: { type: 'string' },
} as const;

export const REPORT_OPTIONS_USAGE = `  --days N        only the last N days
  --since TIME    only from this day or time on: 2026-11-24 or 2026-11-24T08:00:00Z
  --until TIME    only before this day or time
  --top N         rows of each table in the terminal (20)
  --json          everything, for programs
  --csv           the senders, for spreadsheets
  --html FILE     a page with charts that needs nothing else`;

export interface ReportOptions {
  readonly period: Period;
  readonly top: number;
  readonly form: 'json' | 'csv' | 'text';
  readonly html: string | undefined;
}

/** @throws UsageError */
export function reportOptions(values: Values): ReportOptions {
  const { json, csv, top, html } = values;
  if (json === true && csv === true) throw new UsageError('--json and --csv exclude each other');
  if (typeof html === 'string' && isOtherFile(html)) {
    throw new UsageError(
      `--html takes the file to write, and ${html} exists and is not an HTML page; give it another name`,
    );
  }
  return {
    period: periodOf(values, Date.now()),
    top: top === undefined ? DEFAULT_TOP : wholeNumber('--top', top),
    form: json === true ? 'json' : csv === true ? 'csv' : 'text',
    html: typeof html === 'string' ? html : undefined,
  };
}

/** @returns the exit code @throws InputError for an input that cannot be read */
export async function showReport(
  read: Promise<ReadReport>,
  { top, form, html }: ReportOptions,
): Promise<number> {
  process.stdout.once('error', stopQuietly);
  const { report, damaged } = await read.catch((error: unknown) => {
    throw error instanceof SourceError ? new InputError(error.message) : error;
  });
  for (const { path, why } of damaged) {
    process.stderr.write(`oldhello: ${path}: ${why}; the report has what came before\n`);
  }
  if (html !== undefined) writeFileSync(html, htmlView(report));
  if (form === 'json') say(JSON.stringify({ ...report, damaged }, undefined, 2));
  else if (form === 'csv') process.stdout.write(csvView(report));
  else if (html !== undefined) say(`written to ${html}`);
  else process.stdout.write(textView(report, { width: width(), color: hasColor(), top }));
  const { total, broken, text } = report.lines;
  return total > 0 && broken + text === total ? FAILED : GOOD;
}

/** A log for example, named in the place of the page. */
function isOtherFile(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const start = Buffer.alloc(DOCTYPE.length);
  const file = openSync(path, 'r');
  const length = readSync(file, start);
  closeSync(file);
  return length > 0 && start.toString('latin1').toLowerCase() !== DOCTYPE;
}

/** The reader of standard output, such as `head`, has closed it. */
function stopQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(GOOD);
}

/** @throws UsageError */
function periodOf({ days, since, until }: Values, now: number): Period {
  if (days !== undefined && since !== undefined)
    throw new UsageError('--days and --since exclude each other');
  const daysAgo =
    days === undefined ? undefined : new Date(now - wholeNumber('--days', days) * DAY_MS).toISOString();
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
  return Number.isInteger(columns) && columns > 0 ? columns : DEFAULT_COLUMNS;
}

/** https://no-color.org: any text in it that is not empty. */
function hasColor(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/;
const DEFAULT_TOP = 20;
const DOCTYPE = '<!doctype html';
/** Columns, if the terminal does not report its width. */
const DEFAULT_COLUMNS = 100;
