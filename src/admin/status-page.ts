/** The status page as the server sends it: complete without its script, which adds the chart, sorting and refreshing. */
import type { Status } from '../observe/status/status-shape.js';
import { html, type Html } from './page/html.js';
import { summary, uptime } from './page/summary.js';
import { TABLES, type AnyTable } from './page/tables.js';
import { moment } from './page/words.js';

export function statusPage(status: Status): string {
  const show = (table: AnyTable, wide: '' | 'wide' = ''): Html => section(table, status, wide);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>oldhello</title>
        <link rel="icon" href="/page/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/page/uplot.css" />
        <link rel="stylesheet" href="/page/style.css" />
        <script src="/page/uplot.js" defer></script>
        <script src="/page/browser.js" type="module"></script>
      </head>
      <body>
        <a class="skip" href="#senders">Skip to the senders</a>
        <header>
          <h1><img src="/page/icon.svg" alt="" width="26" height="26" />oldhello</h1>
          <p id="uptime">${uptime(status)}</p>
          <p class="refresh">
            <time id="now" datetime="${status.now}">${moment(status.now)} UTC</time>
            <button id="pause" type="button" hidden aria-pressed="false">Pause</button>
          </p>
        </header>
        <main>
          <dl id="summary">${summary(status)}</dl>
          <section class="chart" aria-labelledby="chart-title">
            <div class="title">
              <h2 id="chart-title">Old hellos over time</h2>
              <div id="ranges" role="group" aria-label="Range of the chart" hidden></div>
            </div>
            <div
              id="chart"
              role="img"
              aria-label="Old hellos over time; the table below has the numbers"
            ></div>
            <noscript
              ><p class="hint">
                With JavaScript there is a chart here. The table has the same numbers.
              </p></noscript
            >
            <details id="numbers" open>
              <summary>As a table</summary>
              ${bare(TABLES.days, status)}
            </details>
          </section>
          ${show(TABLES.senders, 'wide')}
          <div class="columns">
            ${show(TABLES.listeners)} ${show(TABLES.backends)} ${show(TABLES.sessions)} ${show(TABLES.limits)}
            ${show(TABLES.suppressed)} ${show(TABLES.processes)}
          </div>
          ${show(TABLES.certificates, 'wide')}
        </main>
        <footer>
          <p>
            All times are UTC, all numbers since oldhello was started.
            <a href="/status.json">status.json</a> has them for programs, <a href="/metrics">metrics</a> for
            Prometheus. <code>oldhello report</code> reads the log and goes back further.
          </p>
        </footer>
      </body>
    </html> `.text;
}

function section(table: AnyTable, status: Status, wide: string): Html {
  return html`<section id="${table.id}" class="${wide}" aria-labelledby="${table.id}-caption">
    ${bare(table, status)}
  </section>`;
}

function bare({ id, caption, columns, body }: AnyTable, status: Status): Html {
  return html`<table role="table" id="${id}-table">
    <caption id="${id}-caption">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ title, align }) => {
          return html`<th role="columnheader" scope="col" class="${align === undefined ? '' : 'number'}">
            ${title}
          </th>`;
        })}
      </tr>
    </thead>
    <tbody role="rowgroup" id="${id}-body">
      ${body(status)}
    </tbody>
  </table>`;
}
