/** The tables of the status page. The server makes the page from them, and the page's script makes new rows. */
import { CERTIFICATE_SOON_DAYS, daysUntil } from '../../observe/certificate-expiry.js';
import { HELLO_KINDS, type HelloKind } from '../../observe/hello/hello-kind.js';
import type { HelloSlot, LimitStatus, Status } from '../../observe/status/status-shape.js';
import { ago, day, grouped, megabytes, outcomeText, span } from '../../web/format.js';
import {
  badge,
  code,
  table as anyTable,
  time,
  type Column,
  type Table,
  type TableOptions,
} from '../../web/table.js';

const table = <T>(options: TableOptions<T, Status>): Table<Status> => anyTable(options);

const senders = table({
  id: 'senders',
  caption: 'Senders of old hellos, and senders whose handshakes fail',
  rows: ({ senders: { list } }) => list,
  empty: 'No such sender since oldhello was started.',
  columns: [
    { title: 'Address', cell: ({ address }) => code(address), sort: ({ address }) => address },
    { title: 'HELO name', cell: ({ helo }) => helo },
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
    {
      title: 'Connections',
      cell: ({ count }) => grouped(count),
      sort: ({ count }) => count,
      align: 'right',
    },
    { title: 'Failed', cell: ({ failed }) => grouped(failed), sort: ({ failed }) => failed, align: 'right' },
    {
      title: 'Last outcome',
      cell: ({ outcome, ok }) => badge(ok ? 'good' : 'bad', outcomeText(outcome)),
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
      cell: ({ mode }) =>
        mode === 'starttls'
          ? 'after STARTTLS'
          : mode === 'tcp'
            ? 'from the first byte, any protocol'
            : 'from the first byte',
    },
    { title: 'Backend', cell: ({ backend }) => backend },
    { title: 'Open', cell: ({ live }) => grouped(live), sort: ({ live }) => live, align: 'right' },
    {
      title: 'Ended',
      cell: ({ connections }) => grouped(connections),
      sort: ({ connections }) => connections,
      align: 'right',
    },
    { title: 'Failed', cell: ({ failed }) => grouped(failed), sort: ({ failed }) => failed, align: 'right' },
  ],
});

const backends = table({
  id: 'backends',
  caption: 'Backends',
  rows: (status) => status.backends,
  empty: 'No connection to a backend yet.',
  columns: [
    { title: 'Backend', cell: ({ name }) => name },
    { title: 'Address', cell: ({ address }) => address },
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
    { title: 'Last failure', cell: ({ lastFailure }) => outcomeText(lastFailure) },
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
      title: 'Sent to',
      cell: ({ use }) =>
        use === 'all' ? 'all clients' : use === 'legacy' ? 'old clients' : 'modern clients',
    },
    {
      title: 'Valid until',
      cell: ({ notAfter }) => time(notAfter, day(notAfter)),
      sort: ({ notAfter }) => notAfter,
    },
    {
      title: 'Left',
      cell: ({ notAfter }, { now }) => {
        const days = daysUntil(notAfter, Date.parse(now));
        if (days < 0) return badge('bad', 'expired');
        return badge(days < CERTIFICATE_SOON_DAYS ? 'warn' : 'good', `${grouped(days)} d`);
      },
      sort: ({ notAfter }) => notAfter,
    },
    { title: 'File', cell: ({ source }) => code(source), sort: ({ source }) => source },
  ],
});

const limitColumns: Column<LimitStatus, Status>[] = [
  { title: 'Limit', cell: ({ name }) => code(name), sort: ({ name }) => name },
  { title: 'Value', cell: ({ value }) => value, align: 'right' },
  {
    title: 'Connections rejected',
    cell: ({ exceeded }) => (exceeded === 0 ? '0' : badge('warn', grouped(exceeded))),
    sort: ({ exceeded }) => exceeded,
    align: 'right',
  },
];

const limits = table({
  id: 'limits',
  caption: 'Limits that rejected connections',
  rows: (status) => status.limits.filter(({ exceeded }) => exceeded > 0),
  empty: 'No limit has rejected a connection.',
  columns: limitColumns,
});

const allLimits = table({
  id: 'all-limits',
  caption: 'All limits',
  rows: (status) => status.limits,
  empty: 'No limits.',
  columns: limitColumns,
});

const suppressed = table({
  id: 'suppressed',
  caption: 'Addresses that are not offered STARTTLS, because they repeat a hello that fails',
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

const connections = table({
  id: 'connections',
  caption: 'Open connections, the newest first',
  rows: (status) => status.connections.newest,
  empty: 'None.',
  columns: [
    { title: 'Client', cell: ({ address }) => code(address), sort: ({ address }) => address },
    { title: 'Listener', cell: ({ listener }) => listener },
    {
      title: 'Open for',
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
  empty: 'No process has reported yet.',
  columns: [
    { title: 'Process', cell: ({ pid }) => code(String(pid)), sort: ({ pid }) => pid },
    {
      title: 'Event loop delay, p99',
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
    ...(Object.keys(HELLO_KINDS) as HelloKind[]).map((kind) => ({
      title: HELLO_KINDS[kind],
      cell: (slot: HelloSlot) => grouped(slot[kind]),
      sort: (slot: HelloSlot) => slot[kind],
      align: 'right' as const,
    })),
  ],
});

/** Rows of the table below the chart. */
const DAYS_SHOWN = 14;

export const TABLES = {
  senders,
  listeners,
  backends,
  certificates,
  limits,
  allLimits,
  suppressed,
  connections,
  processes,
  days,
} as const satisfies Record<string, Table<Status>>;
