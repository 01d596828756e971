/** Handshakes a second, with a connection to the backend and its greeting behind each. */
import type { HandshakeLoad, LoadResult } from '../load/handshakes.js';
import { floor, oldhello, OTHERS } from '../peers/implicit.js';
import { format, ratio, spread } from '../statistics.js';
import type { Running, Stage } from '../stage.js';
import { table } from '../table.js';

const CONCURRENCY = 16;

interface Sample {
  readonly perSecond: number;
  /** Microseconds of CPU that the server took for one. */
  readonly cpu: number;
  /** Share of its core that the load generator was busy. */
  readonly load: number;
  readonly p99: number;
}

interface Variant {
  readonly title: string;
  readonly kind: HandshakeLoad['kind'];
  readonly suite: HandshakeLoad['suite'];
}

const FULL: readonly Variant[] = [
  { title: 'SSLv2-format hello, RSA, AES128-SHA', kind: 'full', suite: 'AES128-SHA' },
  { title: 'SSLv2-format hello, RSA, RC4-MD5', kind: 'full', suite: 'RC4-MD5' },
  { title: 'SSLv2-format hello, RSA, 3DES', kind: 'full', suite: 'DES-CBC3-SHA' },
  { title: 'record-format hello, ECDHE-RSA, AES128-SHA', kind: 'full', suite: 'ECDHE-RSA-AES128-SHA' },
];
const RESUMED: readonly Variant[] = [
  { title: 'resumed by session id, AES128-SHA', kind: 'resumed', suite: 'AES128-SHA' },
];

export async function fullHandshakes(stage: Stage): Promise<string> {
  return play(stage, FULL);
}

export async function resumedHandshakes(stage: Stage): Promise<string> {
  return play(stage, RESUMED);
}

async function play(stage: Stage, variants: readonly Variant[]): Promise<string> {
  const backend = await stage.startBackend('./load/greeter.js');
  const running = await stage.start([oldhello, floor, ...OTHERS], backend);
  const parts: string[] = [];
  for (const variant of variants) {
    const samples = await rounds(stage, running, variant);
    parts.push(`### ${variant.title}\n\n${summary(samples)}`);
  }
  await stage.clear();
  return parts.join('\n\n');
}

/** One warm-up and then the rounds, every peer once in each. */
async function rounds(stage: Stage, running: readonly Running[], variant: Variant) {
  const samples = new Map<string, Sample[]>();
  const unable = new Set<string>();
  for (let round = -1; round < stage.options.rounds; round += 1) {
    for (const one of running) {
      if (unable.has(one.peer.name)) continue;
      const sample = await measure(stage, one, variant);
      if (sample === undefined) unable.add(one.peer.name);
      else if (round >= 0) samples.set(one.peer.name, [...(samples.get(one.peer.name) ?? []), sample]);
    }
  }
  return samples;
}

async function measure(stage: Stage, { peer, port, process: server }: Running, { kind, suite }: Variant) {
  const { milliseconds } = stage.options;
  const job: HandshakeLoad = {
    port,
    concurrency: CONCURRENCY,
    milliseconds,
    kind: peer === floor ? 'steps' : kind,
    suite,
  };
  const before = server.cpu;
  const result = await stage.load<LoadResult | { readonly error: string }>('./load/handshakes.js', job);
  if ('error' in result) return undefined;
  return {
    perSecond: result.count / result.seconds,
    cpu: (1e6 * (server.cpu - before)) / result.count,
    load: result.cpu / result.seconds,
    p99: result.p99,
  };
}

function summary(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const ours = samples.get(oldhello.name);
  const rows = [...samples].map(([name, all]) => [
    name,
    format(spread(all.map(({ perSecond }) => perSecond)), 0),
    ours === undefined || name === oldhello.name
      ? ''
      : format(
          ratio(
            ours.map(({ perSecond }) => perSecond),
            all.map(({ perSecond }) => perSecond),
          ),
          2,
        ),
    format(spread(all.map(({ cpu }) => cpu)), 0),
    format(spread(all.map(({ p99 }) => p99)), 1),
    format(spread(all.map(({ load }) => load)), 2),
  ]);
  return table(['', 'a second', 'oldhello to it', 'server CPU us each', 'p99 ms', 'load busy'], rows);
}
