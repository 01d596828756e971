/** What the scenarios that count things a second have in common. */
import type { LoadResult } from '../load/handshakes.js';
import type { Column } from '../results.js';
import type { Contender, Sample, Unable } from '../rounds.js';
import type { Processor } from '../process.js';
import type { Running, Stage } from '../stage.js';

export const RATE_COLUMNS: readonly Column[] = [
  { key: 'perSecond', head: 'a second', digits: 0 },
  { key: 'cpu', head: 'server CPU us each', digits: 0 },
  { key: 'p50', head: 'p50 ms', digits: 1 },
  { key: 'p99', head: 'p99 ms', digits: 1 },
  { key: 'busy', head: 'load core busy', digits: 2 },
];

export interface Rated extends Pick<Running, 'peer'> {
  readonly process: Processor;
}

/** What all load scripts for a rate are told, and some of them more. */
export interface RateJob {
  readonly port: number;
  readonly concurrency: number;
  readonly suite: string;
  readonly perSecond?: number;
}

/** Runs a load script against one server, again and again. */
export function rated(stage: Stage, server: Rated, script: string, job: RateJob): Contender {
  return {
    name: server.peer.name,
    prepare: () => warmUp(stage, server, script, job),
    measure: () => measure(stage, server, script, job),
  };
}

/** As fast as it goes, and once for all that is measured of a server with one cipher suite. */
async function warmUp(
  stage: Stage,
  { peer, process: server }: Rated,
  script: string,
  job: RateJob,
): Promise<void> {
  const before = warm.get(server) ?? [];
  if (peer.justInTime !== true || stage.options.quick || before.includes(job.suite)) return;
  const concurrency = Math.max(job.concurrency, FEW);
  const load = { ...job, concurrency, perSecond: undefined, milliseconds: WARM_UP_MS };
  await stage.load(script, load, WARM_UP_MS);
  warm.set(server, [...before, job.suite]);
}

/** Cipher suites that a server has run with. */
const warm = new WeakMap<Processor, readonly string[]>();

/** Clients that keep any server busy. */
const FEW = 16;

/** Ten thousand connections or more, after which the cost of one hardly falls any further. */
const WARM_UP_MS = 20_000;

/** Asks the kernel what the load cost the server. */
async function measure(
  stage: Stage,
  { peer, process: server }: Rated,
  script: string,
  job: RateJob,
): Promise<Sample | Unable> {
  const { milliseconds } = stage.options;
  const before = server.cpu;
  const backendsBefore = stage.backendCpu;
  const result = await stage.load<LoadResult>(script, { ...job, milliseconds }, milliseconds);
  if ('unable' in result) return result;
  const { count, failed, failure, seconds, cpu, p50, p99 } = result;
  if (failed > 0)
    process.stderr.write(`  ${peer.name}: ${failed} of ${count + failed} failed, the last: ${failure}\n`);
  return {
    perSecond: count / seconds,
    cpu: (1e6 * (server.cpu - before)) / count,
    p50,
    p99,
    busy: (cpu + stage.backendCpu - backendsBefore) / seconds,
    failed,
  };
}
