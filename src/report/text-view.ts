/** The report for a terminal: as wide as it is, in colour where there is any. */
import { bar, columns, grouped } from './text-chart.js';
import { everyDay } from './calendar.js';
import { oldOf, type Report } from './tally.js';
import { caveats, consequences, count, failedSenders, nameOf, number, summary } from './format.js';

export interface TextOptions {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  /** How many rows of each table. */
  readonly top: number;
}

export function textView(report: Report, { width, color, top }: TextOptions): string {
  const bold = (text: string): string => (color ? `\x1b[1m${text}\x1b[22m` : text);
  const wide = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, width));
  const parts = [wrapped(summary(report), wide)];
  const add = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0)
      parts.push([bold(wrapped(title, wide)), ...lines.map((line) => cut(line, wide))].join('\n'));
  };
  if (report.connections > 0) {
    add('What would break if this were switched off today', cutOffs(report));
    add('Connections with old hellos by day', trend(report, wide));
    add('Old hellos by format, version and suite', kinds(report, top));
    add('Senders of old hellos', senders(report, top));
    add('Failed connections', failures(report, top));
  }
  parts.push(...caveats(report).map((line) => wrapped(line, wide)));
  return `${parts.join('\n\n')}\n`;
}

function cutOffs(report: Report): string[] {
  return consequences(report).flatMap(({ title, impact, busiest, senders }) => {
    const head = `  ${title.padEnd(TITLE_COLUMNS)}${impact}`;
    if (busiest.length === 0) return [head];
    const more = senders > busiest.length ? ', …' : '';
    return [head, `    ${busiest.map(nameOf).join(', ')}${more}`];
  });
}

function trend(report: Report, width: number): string[] {
  const days = everyDay(report.days);
  const values = grouped(days.map(oldOf), width - AXIS_COLUMNS);
  const most = Math.max(...values);
  if (most === 0) return [];
  const axis = (line: number): string =>
    (line === 0 ? number(most) : line === CHART_LINES - 1 ? '0' : '').padStart(AXIS_COLUMNS - 2);
  const [first, last] = [days[0]!.day, days.at(-1)!.day];
  const room = Math.max(0, values.length - first.length - last.length);
  const ends =
    room > 0 ? `${first}${' '.repeat(room)}${last}` : first === last ? first : `${first} to ${last}`;
  const perColumn = Math.ceil(days.length / values.length);
  return [
    ...columns(values, CHART_LINES).map((line, index) => `${axis(index)} │${line}`),
    `${' '.repeat(AXIS_COLUMNS)}${ends}${perColumn > 1 ? `  (${perColumn} days a column)` : ''}`,
  ];
}

function kinds(report: Report, top: number): string[] {
  const most = report.kinds[0]?.connections ?? 0;
  const rows = report.kinds
    .slice(0, top)
    .map(({ format, offered, version, suite, connections }) => [
      format,
      `up to ${offered}`,
      version === '' ? 'failed' : `${version} ${suite}`,
      number(connections),
      bar(connections, most, BAR_COLUMNS),
    ]);
  return [...aligned(rows, [3]), ...rest(report.kinds.length, top)];
}

function senders(report: Report, top: number): string[] {
  const rows = report.senders
    .slice(0, top)
    .map((sender) => [
      number(sender.connections),
      nameOf(sender),
      `${sender.format} ${sender.tls?.version ?? `up to ${sender.version}, failed`}`,
      sender.tls?.suite ?? '',
      sender.library,
      `last ${sender.last.slice(0, 10)}`,
    ]);
  return [...aligned(rows, [0]), ...rest(report.senders.length, top)];
}

function failures(report: Report, top: number): string[] {
  const shown = report.failures.slice(0, top);
  const rows = shown.map((failure) => [
    number(failure.connections),
    failure.outcome,
    failure.reason,
    failedSenders(failure),
  ]);
  const lines = aligned(rows, [0]).flatMap((line, index) => {
    const { busiest, senders: all } = shown[index]!;
    const more = all > busiest.length ? ', …' : '';
    return busiest.length === 0 ? [line] : [line, `    ${busiest.map(nameOf).join(', ')}${more}`];
  });
  return [...lines, ...rest(report.failures.length, top)];
}

function rest(length: number, top: number): string[] {
  return length > top ? [`  and ${count(length - top, 'more row')}; --top shows more`] : [];
}

/** Columns as wide as their widest cell, those in `right` flush right. */
function aligned(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

function wrapped(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

const MIN_COLUMNS = 40;
const MAX_COLUMNS = 160;
const TITLE_COLUMNS = 26;
const AXIS_COLUMNS = 9;
const BAR_COLUMNS = 12;
const CHART_LINES = 6;
