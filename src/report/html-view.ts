/**
 * The report as one page that needs nothing else: works from a disk without a network, without JavaScript as tables, and
 * with a policy that lets it run nothing but the scripts it came with.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { everyDay } from './calendar.js';
import { CHART_SCRIPT } from './html-chart.js';
import type { Day, Report } from './tally.js';
import { caveats, consequences, nameOf, number, summary } from './words.js';

export function htmlView(report: Report): string {
  const require = createRequire(import.meta.url);
  const styles = [readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'), STYLE];
  const scripts = [readFileSync(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'), CHART_SCRIPT];
  const days = everyDay(report.days);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(styles, scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>oldhello report</title>
${styles.map((style) => `<style>${style}</style>`).join('\n')}
</head>
<body>
<h1>Who still sends old hellos</h1>
<p>${escaped(summary(report))}</p>
${caveats(report)
  .map((caveat) => `<p>${escaped(caveat)}</p>`)
  .join('\n')}
<h2>By day</h2>
<div id="chart"></div>
<details><summary>The figures</summary>
${table(['day', '#sessions', '#old hellos', '#SSLv2 format', '#failed', '#in clear'], days.map(dayRow))}
</details>
<h2>Who would be cut off if this were switched off today</h2>
${cutOffs(report)}
<h2>Old hellos by format, version and suite</h2>
${kinds(report)}
<h2>Senders of old hellos</h2>
${senders(report)}
<h2>What probably sent them</h2>
${table(
  ['library', '#sessions'],
  report.libraries.map(({ library, sessions }) => [escaped(library), number(sessions)]),
)}
<h2>Failed sessions</h2>
${table(
  ['outcome', 'reason', '#sessions'],
  report.failures.map(({ outcome, reason, sessions }) => [
    escaped(outcome),
    escaped(reason),
    number(sessions),
  ]),
)}
<script type="application/json" id="days">${figures(days)}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

function cutOffs(report: Report): string {
  const rows = consequences(report).map(({ title, setting, cutOff, who, senders: length }) => [
    escaped(title),
    escaped(cutOff),
    who.map((sender) => escaped(nameOf(sender))).join('<br>') + (length > who.length ? '<br>…' : ''),
    `<code>${escaped(setting)}</code>`,
  ]);
  return table(['switched off', 'cuts off', 'the busiest of them', 'setting'], rows);
}

function dayRow(day: Day): string[] {
  return [day.day, ...[day.sessions, day.old, day.sslv2, day.failed, day.plaintext].map(number)];
}

function kinds(report: Report): string {
  const most = report.kinds[0]?.sessions ?? 1;
  const rows = report.kinds.map(({ format, offered, version, suite, sessions }) => [
    escaped(format),
    escaped(offered),
    version === '' ? 'failed' : escaped(`${version} ${suite}`),
    number(sessions),
    `<meter min="0" max="${most}" value="${sessions}"></meter>`,
  ]);
  return table(['format', 'offers up to', 'agreed on', '#sessions', ''], rows);
}

function senders(report: Report): string {
  const rows = report.senders
    .slice(0, MAX_SENDERS)
    .map((sender) => [
      escaped(sender.address),
      escaped(sender.helo ?? ''),
      escaped(sender.format),
      escaped(sender.version),
      escaped(sender.tls === undefined ? 'failed' : `${sender.tls.version} ${sender.tls.suite}`),
      escaped(sender.library),
      escaped(sender.needs.join(', ')),
      number(sender.sessions),
      number(sender.failed),
      sender.first.slice(0, 10),
      sender.last.slice(0, 10),
      escaped(sender.outcome),
    ]);
  const header = ['address', 'helo', 'format', 'offers up to', 'agreed on', 'library', 'needs'];
  return table([...header, '#sessions', '#failed', 'first seen', 'last seen', 'last outcome'], rows);
}

/** @param header names beginning with # are of columns of numbers @param rows HTML */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const numbers = header.map((name) => name.startsWith('#'));
  const cells = (row: readonly string[], tag: string): string =>
    row
      .map((cell, column) => `<${tag}${numbers[column] === true ? ' class="n"' : ''}>${cell}</${tag}>`)
      .join('');
  const head = cells(
    header.map((name) => escaped(name.replace(/^#/, ''))),
    'th',
  );
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<div class="table"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

function figures(days: readonly Day[]): string {
  const series = [
    { label: 'old hellos', values: days.map(({ old }) => old) },
    { label: 'SSLv2 format', values: days.map(({ sslv2 }) => sslv2) },
    { label: 'failed', values: days.map(({ failed }) => failed) },
    { label: 'in clear', values: days.map(({ plaintext }) => plaintext) },
  ];
  const data = { days: days.map(({ day }) => Date.parse(day) / 1000), series };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** CSP 3, 2.3.1: hashes of what stands between the tags. */
function policy(styles: readonly string[], scripts: readonly string[]): string {
  const hashes = (texts: readonly string[]): string =>
    texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
  return `default-src 'none'; style-src ${hashes(styles)}; script-src ${hashes(scripts)}; base-uri 'none'; form-action 'none'`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `:root { --text: #1b1f24; --back: #fff; --line: #d5d9de; --fill: #5b8fd940;
  --series-0: #2f6fc4; --series-1: #b3541e; --series-2: #b01030; --series-3: #6b7280; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e6ea; --back: #14171b; --line: #3a4048; --fill: #6aa3f040;
  --series-0: #7fb2f5; --series-1: #f0a060; --series-2: #ff7088; --series-3: #a0a7b0; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 0 auto;
  padding: 1rem; max-width: 80rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.table { overflow-x: auto; }
.table table { border-collapse: collapse; white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
.n { text-align: right; font-variant-numeric: tabular-nums; }
meter { width: 8rem; }
#chart { width: 100%; }
.u-legend { color: var(--text); }
`;

/** Rows a browser shows without trouble; --json and --csv have all. */
const MAX_SENDERS = 2000;
