/**
 * The tables of the status page: what their columns are, declared once, and their rows. The server makes the page from
 * them, and the page's script makes new rows from new data.
 */
import type { Status } from '../../observe/status/status-shape.js';
import { html, type Html } from './html.js';
import { ago, day, grouped, HELLO_KINDS, megabytes, moment, outcomeInWords, span } from './words.js';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T, status: Status) => Html | string | number;
  /** What to sort by, where it is not what is shown. */
  readonly sort?: (row: T) => string | number;
  readonly align?: 'right';
}

export interface Table<T> {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: (status: Status) => readonly T[];
  /** Said instead of rows. */
  readonly empty: string;
}

/** A table of any rows. */
export interface AnyTable {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly align?: 'right' }[];
  /** The rows of the table's body. */
  readonly body: (status: Status) => Html;
}

function table<T>({ id, caption, columns, rows, empty }: Table<T>): AnyTable {
  const row = (one: T, status: Status): Html =>
    html`<tr role="row">
      ${columns.map((column) => cell(column, one, status))}
    </tr>`;
  const nothing = html`<tr role="row" class="empty">
    <td role="cell" colspan="${columns.length}">${empty}</td>
  </tr>`;
  return {
    id,
    caption,
    columns,
    body: (status) => {
      const all = rows(status);
      return all.length === 0 ? nothing : html`${all.map((one) => row(one, status))}`;
    },
  };
}

function cell<T>({ title, cell: show, sort, align }: Column<T>, row: T, status: Status): Html {
  const shown = show(row, status);
  const by = sort?.(row) ?? (typeof shown === 'object' ? undefined : shown);
  const sorted = by === undefined ? html`` : html` data-sort="${by}"`;
  const right = align === undefined ? html`` : html` class="number"`;
  return html`<td role="cell" data-label="${title}" ${sorted} ${right}><span>${shown}</span></td>`;
}

const time = (at: string, shown: string): Html =>
  html`<time datetime="${at}" title="${moment(at)} UTC">${shown}</time>`;

const badge = (kind: 'good' | 'bad' | 'warn' | 'calm', text: string): Html =>
  html`<span class="badge ${kind}">${text}</span>`;

const code = (text: string): Html => (text === '' ? html`` : html`<span class="code">${text}</span>`);

/** Days before its end from which a certificate is worth a second look. */
const CERTIFICATE_SOON = 21;
const DAY = 24 * 60 * 60 * 1000;

const daysLeft = (notAfter: string, now: string): number =>
  Math.floor((Date.parse(notAfter) - Date.parse(now)) / DAY);

const senders = table({
  id: 'senders',
  caption: 'Senders with hellos older than TLS 1.2, or whose handshakes fail',
  rows: ({ senders: { list } }) => list,
  empty: 'No such sender since oldhello was started.',
  columns: [
    { title: 'Address', cell: ({ address }) => code(address), sort: ({ address }) => address },
    { title: 'Calls itself', cell: ({ helo }) => helo },
    { title: 'Network', cell: ({ network }) => code(network), sort: ({ network }) => network },
    {
      title: 'Hello',
      cell: ({ format }) => (format === 'sslv2' ? badge('warn', 'SSLv2 format') : badge('calm', 'record')),
      sort: ({ format }) => format,
    },
    { title: 'Version', cell: ({ version }) => version },
    { title: 'Cipher suite', cell: ({ suite }) => code(suite), sort: ({ suite }) => suite },
    { title: 'Likely library', cell: ({ library }) => library },
    {
      title: 'First seen',
      cell: ({ first }, { now }) => time(first, ago(first, now)),
      sort: ({ first }) => first,
    },
    { title: 'Last seen', cell: ({ last }, { now }) => time(last, ago(last, now)), sort: ({ last }) => last },
    { title: 'Sessions', cell: ({ count }) => grouped(count), sort: ({ count }) => count, align: 'right' },
    { title: 'Failed', cell: ({ failed }) => grouped(failed), sort: ({ failed }) => failed, align: 'right' },
    {
      title: 'Last outcome',
      cell: ({ outcome, ok }) => badge(ok ? 'good' : 'bad', outcomeInWords(outcome)),
      sort: ({ outcome }) => outcome,
    },
  ],
});

const listeners = table({
  id: 'listeners',
  caption: 'Listeners',
  rows: (status) => status.listeners,
  empty: 'Not listening.',
  columns: [
    { title: 'Listener', cell: ({ name }) => name },
    { title: 'Address', cell: ({ address }) => code(address), sort: ({ address }) => address },
    {
      title: 'TLS',
      cell: ({ mode }) => (mode === 'starttls' ? 'after STARTTLS' : 'from the first byte'),
    },
    { title: 'Backend', cell: ({ backend }) => backend },
    { title: 'Live', cell: ({ live }) => grouped(live), sort: ({ live }) => live, align: 'right' },
    {
      title: 'Sessions',
      cell: ({ sessions }) => grouped(sessions),
      sort: ({ sessions }) => sessions,
      align: 'right',
    },
    { title: 'Failed', cell: ({ failed }) => grouped(failed), sort: ({ failed }) => failed, align: 'right' },
  ],
});

const backends = table({
  id: 'backends',
  caption: 'Backends',
  rows: (status) => status.backends,
  empty: 'No connection was tried yet.',
  columns: [
    { title: 'Backend', cell: ({ name }) => name },
    {
      title: 'State',
      cell: ({ up }) => (up === true ? badge('good', 'up') : badge('bad', 'down')),
      sort: ({ up }) => (up === true ? 1 : 0),
    },
    {
      title: 'Since',
      cell: ({ since = '' }, { now }) => time(since, ago(since, now)),
      sort: ({ since = '' }) => since,
    },
    {
      title: 'Connect time',
      cell: ({ latency }) => (latency === undefined ? '–' : `${latency.toFixed(1)} ms`),
      sort: ({ latency = -1 }) => latency,
      align: 'right',
    },
    {
      title: 'Connections',
      cell: ({ connections }) => grouped(connections),
      sort: ({ connections }) => connections,
      align: 'right',
    },
    {
      title: 'Failures',
      cell: ({ failures }) => grouped(failures),
      sort: ({ failures }) => failures,
      align: 'right',
    },
    { title: 'Last failure', cell: ({ lastFailure }) => outcomeInWords(lastFailure) },
  ],
});

const certificates = table({
  id: 'certificates',
  caption: 'Certificates',
  rows: (status) => status.certificates,
  empty: 'No certificate.',
  columns: [
    { title: 'Subject', cell: ({ subject }) => subject },
    { title: 'Issuer', cell: ({ issuer }) => issuer },
    { title: 'Key', cell: ({ key }) => key },
    {
      title: 'Shown to',
      cell: ({ use }) => (use === 'all' ? 'everybody' : use === 'legacy' ? 'old clients' : 'modern clients'),
    },
    {
      title: 'Valid until',
      cell: ({ notAfter }) => time(notAfter, day(notAfter)),
      sort: ({ notAfter }) => notAfter,
    },
    {
      title: 'Left',
      cell: ({ notAfter }, { now }) => {
        const days = daysLeft(notAfter, now);
        if (days < 0) return badge('bad', 'expired');
        return badge(days < CERTIFICATE_SOON ? 'warn' : 'good', `${grouped(days)} d`);
      },
      sort: ({ notAfter }) => notAfter,
    },
    { title: 'File', cell: ({ source }) => code(source), sort: ({ source }) => source },
  ],
});

const limits = table({
  id: 'limits',
  caption: 'Limits',
  rows: (status) => status.limits,
  empty: 'No limits.',
  columns: [
    { title: 'Limit', cell: ({ name }) => code(name), sort: ({ name }) => name },
    { title: 'Value', cell: ({ value }) => value, align: 'right' },
    {
      title: 'Turned away',
      cell: ({ exceeded }) => (exceeded === 0 ? '0' : badge('warn', grouped(exceeded))),
      sort: ({ exceeded }) => exceeded,
      align: 'right',
    },
  ],
});

const suppressed = table({
  id: 'suppressed',
  caption: 'Addresses that are not offered STARTTLS, because a hello from there keeps failing',
  rows: (status) => status.suppressed,
  empty: 'None.',
  columns: [
    { title: 'Address', cell: ({ address }) => code(address), sort: ({ address }) => address },
    { title: 'Failures', cell: ({ failures }) => failures, align: 'right' },
    {
      title: 'Since',
      cell: ({ since }, { now }) => time(since, ago(since, now)),
      sort: ({ since }) => since,
    },
    {
      title: 'For another',
      cell: ({ until }, { now }) => time(until, span(Date.parse(until) - Date.parse(now))),
      sort: ({ until }) => until,
    },
  ],
});

const sessions = table({
  id: 'sessions',
  caption: 'Live sessions, the newest first',
  rows: (status) => status.sessions.newest,
  empty: 'None.',
  columns: [
    { title: 'Client', cell: ({ address }) => code(address), sort: ({ address }) => address },
    { title: 'Listener', cell: ({ listener }) => listener },
    {
      title: 'For',
      cell: ({ since }, { now }) => time(since, span(Date.parse(now) - Date.parse(since))),
      sort: ({ since }) => since,
    },
    {
      title: 'Id in the log',
      cell: ({ connection }) => code(connection),
      sort: ({ connection }) => connection,
    },
  ],
});

const processes = table({
  id: 'processes',
  caption: 'Processes',
  rows: (status) => status.processes,
  empty: 'None has reported yet.',
  columns: [
    { title: 'Process', cell: ({ pid }) => code(String(pid)), sort: ({ pid }) => pid },
    {
      title: 'Delay, 99th percentile',
      cell: ({ delay }) => `${delay.toFixed(1)} ms`,
      sort: ({ delay }) => delay,
      align: 'right',
    },
    {
      title: 'Memory',
      cell: ({ memory }) => megabytes(memory),
      sort: ({ memory }) => memory,
      align: 'right',
    },
  ],
});

const days = table({
  id: 'days',
  caption: 'Hellos by day, in UTC',
  rows: ({ hellos }) => [...hellos.days].reverse().slice(0, DAYS_SHOWN),
  empty: '',
  columns: [
    { title: 'Day', cell: ({ start }) => time(start, day(start)), sort: ({ start }) => start },
    ...(['sslv2', 'ssl3', 'tls10', 'modern'] as const).map((kind) => ({
      title: HELLO_KINDS[kind],
      cell: (slot: Status['hellos']['days'][number]) => grouped(slot[kind]),
      sort: (slot: Status['hellos']['days'][number]) => slot[kind],
      align: 'right' as const,
    })),
  ],
});

/** Rows of the table that says what the chart shows. */
const DAYS_SHOWN = 14;

export const TABLES = {
  senders,
  listeners,
  backends,
  certificates,
  limits,
  suppressed,
  sessions,
  processes,
  days,
} as const satisfies Record<string, AnyTable>;
