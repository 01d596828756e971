/** What was aimed at, and what came of it: a line for each aim, worked out from the figures. */
import type { Report } from './report.js';
import { OURS, type Comparison } from './results.js';
import { ratio, spread } from './statistics.js';
import { table } from './table.js';

interface Aim {
  readonly what: string;
  /** Of the comparison. */
  readonly title: RegExp;
  readonly measured: (comparison: Comparison) => number;
  readonly unit?: string;
  readonly digits?: number;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Somebody else's figure, which shows what can be had. */
  readonly beside?: Beside;
}

interface Beside {
  readonly whose: string;
  readonly measured: Aim['measured'];
}

const FULL = /^Full handshakes: SSLv2-format hello, RSA, AES128-SHA$/;
const RESUMED = /^Handshakes resumed by session id/;
const DELIVERIES = /^Deliveries over STARTTLS/;

const AIMS: readonly Aim[] = [
  {
    what: 'Full handshakes, to the floor',
    title: FULL,
    measured: to('floor'),
    atLeast: 0.93,
    beside: { whose: 'nginx', measured: to('floor', 'nginx') },
  },
  { what: 'Full handshakes, to stunnel', title: FULL, measured: to('stunnel'), atLeast: 1 },
  {
    what: "Full handshakes, to a proxy with Node's tls",
    title: FULL,
    measured: to('node-tls'),
    atLeast: 1.2,
  },
  { what: 'Full handshakes, to nginx, as near as may be', title: FULL, measured: to('nginx') },
  { what: 'Resumed handshakes, to stunnel', title: RESUMED, measured: to('stunnel'), atLeast: 1 },
  {
    what: "Resumed handshakes, to a proxy with Node's tls",
    title: RESUMED,
    measured: to('node-tls'),
    atLeast: 1,
  },
  { what: 'Deliveries, to stunnel', title: DELIVERIES, measured: to('stunnel'), atLeast: 1 },
  { what: 'Deliveries, to nginx mail', title: DELIVERIES, measured: to('nginx-mail'), atLeast: 0.8 },
  ...['to the backend', 'to the client'].flatMap((way): Aim[] => [
    {
      what: `AES128-GCM ${way}, to the best of the others`,
      title: new RegExp(`^Bulk ${way}: .*AES128-GCM`),
      measured: toTheBest(),
      atLeast: 1,
      beside: { whose: "Node's tls", measured: toTheBest('node-tls') },
    },
    {
      what: `AES128-SHA ${way}, to the best of the others`,
      title: new RegExp(`^Bulk ${way}: .*AES128-SHA`),
      measured: toTheBest(),
      atLeast: 0.8,
      beside: { whose: 'the floor', measured: toTheBest('floor') },
    },
    {
      what: `RC4-MD5 ${way}, a second of one core`,
      title: new RegExp(`^Bulk ${way}: .*RC4-MD5`),
      measured: own('perCore'),
      unit: ' MB',
      digits: 0,
      atLeast: 350,
    },
  ]),
  {
    what: 'Memory for an idle connection',
    title: /^Memory of idle connections, /,
    measured: own('many'),
    unit: ' KiB',
    digits: 1,
    atMost: 18,
  },
  {
    what: 'Idle connections held at once',
    title: /^Memory of idle connections.* 10000$/,
    measured: own('held'),
    digits: 0,
    atLeast: 10_000,
  },
  ...[100, 300].map((rate): Aim => ({
    what: `99th percentile of connecting at ${rate} a second, to the best of the others`,
    title: new RegExp(`^Latency .* ${rate} connections a second`),
    measured: toTheBest(),
    atMost: 1,
  })),
  {
    what: 'Start-up',
    title: /^Start-up/,
    measured: own('milliseconds'),
    unit: ' ms',
    digits: 0,
    atMost: 300,
  },
  {
    what: 'What two workers do, to one process: twice one that has a core to itself',
    title: /^Full handshakes by one worker alone/,
    measured: (comparison) => 2 * to('one process')(comparison),
    atLeast: 1.8,
  },
];

/** A line for each aim that there are figures for. */
export function aims({ results }: Report): string {
  const comparisons = results.flatMap((result) => result.comparisons);
  const lines = AIMS.flatMap((aim) => {
    const comparison = comparisons.find(({ title }) => aim.title.test(title));
    return comparison === undefined ? [] : [line(aim, comparison)];
  });
  return table(['', 'aim', 'measured', 'met', 'beside it'], lines);
}

function line(
  { what, measured, atLeast, atMost, beside, unit = '', digits = 2 }: Aim,
  comparison: Comparison,
): string[] {
  const value = Number(measured(comparison).toFixed(digits));
  const aim = atLeast ?? atMost;
  const met = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  return [
    what,
    aim === undefined ? '' : `${atLeast === undefined ? 'at most' : 'at least'} ${aim}${unit}`,
    `${value.toFixed(digits)}${unit}`,
    aim === undefined ? '' : met ? 'yes' : 'no',
    beside === undefined ? '' : `${beside.whose}: ${beside.measured(comparison).toFixed(digits)}`,
  ];
}

/** The median of a figure of ours. */
function own(key: string): Aim['measured'] {
  return ({ rows }) => spread(rows.find(({ name }) => name === OURS)!.figures[key]!).median;
}

/** The figure of `whose` divided by the peer's. */
function to(peer: string, whose = OURS): Aim['measured'] {
  return ({ rows, compared: { key } }) => {
    const [one, other] = [whose, peer].map(
      (wanted) => rows.find(({ name }) => name === wanted)!.figures[key]!,
    );
    return ratio(one!, other!).median;
  };
}

/** The least flattering of the ratios to programs that an admin could take instead. */
function toTheBest(whose = OURS): Aim['measured'] {
  return (comparison) => {
    const peers = comparison.rows.map(({ name }) => name).filter((name) => !NO_CHOICE.includes(name));
    const all = peers.map((peer) => to(peer, whose)(comparison));
    return comparison.compared.better === 'above 1' ? Math.min(...all) : Math.max(...all);
  };
}

const NO_CHOICE = [OURS, 'oldhello-engine', 'oldhello-live', 'floor', 'RSA limit', 'one process'];
