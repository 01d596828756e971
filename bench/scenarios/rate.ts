/** What the scenarios that count things a second have in common. */
import type { LoadResult } from '../load/handshakes.js';
import type { Column } from '../results.js';
import type { Sample, Unable } from '../rounds.js';
import type { Processor } from '../process.js';
import type { Running, Stage } from '../stage.js';

export const RATE_COLUMNS: readonly Column[] = [
  { key: 'perSecond', head: 'a second', digits: 0 },
  { key: 'cpu', head: 'server CPU us each', digits: 0 },
  { key: 'p50', head: 'p50 ms', digits: 1 },
  { key: 'p99', head: 'p99 ms', digits: 1 },
  { key: 'busy', head: 'load core busy', digits: 2 },
];

/** Runs a load script against one server, and asks the kernel what that cost the server. */
export async function measureRate(
  stage: Stage,
  { peer, process: server }: Pick<Running, 'peer'> & { readonly process: Processor },
  script: string,
  job: object,
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
