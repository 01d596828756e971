/**
 * The report as one page that needs nothing else: it works from a disk without a network, without JavaScript as tables,
 * and under a policy that allows only the scripts that it carries.
 */
import { createHash } from 'node:crypto';
import { html, Html } from '../web/html.js';
import { tableHtml, type Table } from '../web/table.js';
import { dayChart } from './day-chart.js';
import { caveats, summary } from './format.js';
import { days, failures, kinds, libraries, senders, switchOffs } from './html-tables.js';
import { loadReportPage, type ReportPage } from './page.js';
import type { Report } from './tally.js';

export function htmlView(report: Report, { style, script }: ReportPage = loadReportPage()): string {
  const figures = JSON.stringify(dayChart(report.days)).replaceAll('<', '\\u003c');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy(style, script)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>oldhello report</title>
        ${element('<style>', style, '</style>')}
      </head>
      <body>
        <header><h1>Old hellos: report</h1></header>
        <main>
          <section>
            <p class="lead">${summary(report)}</p>
            ${caveats(report).map((caveat) => html`<p class="hint">${caveat}</p>`)}
          </section>
          ${section(switchOffs, report)}
          <section class="chart" aria-labelledby="chart-title">
            <div class="title"><h2 id="chart-title">Old hellos by day</h2></div>
            <div id="chart" role="img" aria-label="Old hellos by day; the table below has the numbers"></div>
            <details>
              <summary>As a table</summary>
              ${tableHtml(days, report)}
            </details>
          </section>
          ${section(senders, report)} ${section(kinds, report)}
          <div class="columns">${section(libraries, report)} ${section(failures, report)}</div>
        </main>
        <footer><p>All times are UTC.</p></footer>
        ${element('<script type="application/json" id="figures">', figures, '</script>')}
        ${element('<script>', script, '</script>')}
      </body>
    </html> `.text;
}

function section(table: Table<Report>, report: Report): Html {
  return html`<section aria-labelledby="${table.id}-caption">${tableHtml(table, report)}</section>`;
}

/** An element whose content is not HTML: a browser reads it up to its closing tag. */
function element(open: string, content: string, close: string): Html {
  return new Html(open + content + close);
}

/** CSP 3, 2.3.1: hashes of the text between the tags. */
function policy(style: string, script: string): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
}
