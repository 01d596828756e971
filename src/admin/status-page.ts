/** The status page as the server sends it: complete without its script, which adds the chart, sorting and refresh. */
import type { Status } from '../observe/status/status-shape.js';
import { moment } from '../web/format.js';
import { html, type Html } from '../web/html.js';
import { tableHtml, type Table } from '../web/table.js';
import { summary, uptime } from './page/summary.js';
import { TABLES } from './page/tables.js';

export function statusPage(status: Status): string {
  const show = (table: Table<Status>): Html => section(table, status);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>oldhello</title>
        <link rel="icon" href="/page/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/page/style.css" />
        <script src="/page/status.js" defer></script>
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
                With JavaScript there is a chart here. The table has the numbers of the last days.
              </p></noscript
            >
            <details id="numbers" open>
              <summary>As a table</summary>
              ${tableHtml(TABLES.days, status)}
            </details>
          </section>
          ${section(TABLES.senders, status, { wide: true })}
          <div class="columns">
            ${show(TABLES.listeners)} ${show(TABLES.backends)}
            ${section(TABLES.limits, status, { below: folded('All limits', TABLES.allLimits, status) })}
            ${show(TABLES.connections)} ${show(TABLES.suppressed)} ${show(TABLES.processes)}
          </div>
          ${section(TABLES.certificates, status, { wide: true })}
        </main>
        <footer>
          <p>
            All times are UTC. All numbers count from the start of oldhello. Programs read them from
            <a href="/status.json">status.json</a>, Prometheus from <a href="/metrics">metrics</a>.
            <code>oldhello report</code> reads the log, which goes back further.
          </p>
        </footer>
      </body>
    </html> `.text;
}

function section(table: Table<Status>, status: Status, more: { wide?: true; below?: Html } = {}): Html {
  const wide = more.wide === true ? 'wide' : '';
  return html`<section id="${table.id}" class="${wide}" aria-labelledby="${table.id}-caption">
    ${tableHtml(table, status)} ${more.below ?? ''}
  </section>`;
}

function folded(title: string, table: Table<Status>, status: Status): Html {
  return html`<details>
    <summary>${title}</summary>
    ${tableHtml(table, status)}
  </details>`;
}
