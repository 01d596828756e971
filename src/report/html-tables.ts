/** The tables of the report's page. */
import { HELLO_KINDS, type HelloKind } from '../observe/hello/hello-kind.js';
import { day, outcomeText } from '../web/format.js';
import { html, type Html } from '../web/html.js';
import {
  badge,
  code,
  table as anyTable,
  time,
  type Column,
  type Table,
  type TableOptions,
} from '../web/table.js';
import { everyDay } from './calendar.js';
import { consequences, failedSenders, nameOf, number, type Consequence } from './format.js';
import type { Sender } from './sender-table.js';
import type { Day, Kind, Report } from './tally.js';

const table = <T>(options: TableOptions<T, Report>): Table<Report> => anyTable(options);

const figure = <T>(title: string, value: (row: T) => number): Column<T, Report> => ({
  title,
  cell: (row) => number(value(row)),
  sort: value,
  align: 'right',
});

export const days = table<Day>({
  id: 'days',
  caption: 'Connections by day, in UTC',
  rows: (report) => everyDay(report.days).reverse(),
  empty: 'None.',
  columns: [
    { title: 'Day', cell: ({ day: name }) => name },
    figure('Connections', ({ connections }) => connections),
    ...(Object.keys(HELLO_KINDS) as HelloKind[]).map((kind) =>
      figure<Day>(HELLO_KINDS[kind], ({ hellos }) => hellos[kind]),
    ),
    figure('Failed', ({ failed }) => failed),
    figure('In clear', ({ plaintext }) => plaintext),
  ],
});

export const switchOffs = table<Consequence>({
  id: 'switch-offs',
  caption: 'What would break if this were switched off today',
  rows: consequences,
  empty: 'Nothing.',
  columns: [
    { title: 'Switched off', cell: ({ title }) => title },
    { title: 'Breaks', cell: ({ impact }) => impact, sort: ({ connections }) => connections },
    { title: 'The busiest senders', cell: namesOf },
    { title: 'Setting', cell: ({ setting }) => code(setting), sort: ({ setting }) => setting },
  ],
});

function namesOf({ busiest, senders: all }: Consequence): Html {
  const more = all > busiest.length ? html`<br />…` : html``;
  return html`${busiest.map((sender, index) => html`${index === 0 ? html`` : html`<br />`}${nameOf(sender)}`)}${more}`;
}

export const kinds = table<Kind>({
  id: 'kinds',
  caption: 'Old hellos by format, version and suite',
  rows: (report) => report.kinds,
  empty: 'None.',
  columns: [
    { title: 'Format', cell: ({ format }) => format },
    { title: 'Offers up to', cell: ({ offered }) => offered },
    {
      title: 'Agreed on',
      cell: ({ version, suite }) => agreed(version === '' ? undefined : { version, suite }),
      sort: ({ version, suite }) => `${version} ${suite}`,
    },
    figure('Connections', ({ connections }) => connections),
    { title: 'Share', cell: ({ connections }, { old }) => share(connections, old) },
  ],
});

const share = (part: number, all: number): Html => html`<meter min="0" max="${all}" value="${part}"></meter>`;

const agreed = (tls: Sender['tls']): Html =>
  tls === undefined ? badge('bad', 'failed') : html`${tls.version} ${code(tls.suite)}`;

export const senders = table<Sender>({
  id: 'senders',
  caption: 'Senders of old hellos',
  rows: (report) => report.senders.slice(0, MAX_SENDERS),
  empty: 'None.',
  columns: [
    { title: 'Address', cell: ({ address }) => code(address), sort: ({ address }) => address },
    { title: 'HELO name', cell: ({ helo }) => helo ?? '' },
    {
      title: 'Hello',
      cell: ({ format, version }) => `${format === 'sslv2' ? 'SSLv2 format, ' : ''}up to ${version}`,
    },
    {
      title: 'Agreed on',
      cell: ({ tls }) => agreed(tls),
      sort: ({ tls }) => (tls === undefined ? '' : `${tls.version} ${tls.suite}`),
    },
    { title: 'Likely library', cell: ({ library }) => library },
    { title: 'Needs', cell: ({ needs }) => needs.join(', ') },
    figure('Connections', ({ connections }) => connections),
    figure('Failed', ({ failed }) => failed),
    { title: 'First seen', cell: ({ first }) => time(first, day(first)), sort: ({ first }) => first },
    { title: 'Last seen', cell: ({ last }) => time(last, day(last)), sort: ({ last }) => last },
    { title: 'Last outcome', cell: ({ outcome }) => outcomeText(outcome) },
  ],
});

export const libraries = table<Report['libraries'][number]>({
  id: 'libraries',
  caption: 'Libraries that probably sent them',
  rows: (report) => report.libraries,
  empty: 'None.',
  columns: [
    { title: 'Library', cell: ({ library }) => library },
    figure('Connections', ({ connections }) => connections),
  ],
});

export const failures = table<Report['failures'][number]>({
  id: 'failures',
  caption: 'Failed connections',
  rows: (report) => report.failures,
  empty: 'None.',
  columns: [
    { title: 'Outcome', cell: ({ outcome }) => outcomeText(outcome) },
    { title: 'Reason', cell: ({ reason }) => outcomeText(reason) },
    figure('Connections', ({ connections }) => connections),
    {
      title: 'Senders',
      cell: (failure) => {
        const { busiest, senders: all } = failure;
        if (all === 0) return '';
        const names = busiest.map((sender) => html`<br />${nameOf(sender)}`);
        return html`${failedSenders(failure)}${names}${all > busiest.length ? html`<br />…` : html``}`;
      },
      sort: ({ senders: all }) => all,
    },
  ],
});

/** More rows make a browser slow; --json and --csv have all. */
const MAX_SENDERS = 2000;
