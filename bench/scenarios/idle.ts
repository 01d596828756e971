/** Memory for a connection that is established, has its backend half, and is silent. */
import { readFileSync } from 'node:fs';
import type { IdleLoad, IdleResult } from '../load/idle.js';
import { OTHERS, ours } from '../peers/implicit.js';
import type { Peer } from '../peers/peer.js';
import type { Measured } from '../process.js';
import type { Comparison } from '../results.js';
import { interleave, type Contender, type Sample, type Unable } from '../rounds.js';
import type { Running, Stage } from '../stage.js';

export async function* idle(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const most = Math.min(MANY, mostConnections());
  yield await held(stage, backend, { peers: [ours, ...OTHERS], many: most, workers: 1 });
  if (most < MANY) {
    const many = Math.min(MANY, 2 * most);
    yield await held(stage, backend, { peers: [ours, ...IN_PROCESSES], many, workers: 2 });
  }
}

interface Case {
  readonly peers: readonly Peer[];
  readonly many: number;
  readonly workers: number;
}

async function held(
  stage: Stage,
  backend: number,
  { peers, many: real, workers }: Case,
): Promise<Comparison> {
  const many = stage.options.quick ? 2000 : real;
  const by = workers === 1 ? '' : ` by ${workers} workers`;
  const title = `Memory of idle connections${by}, ${FEW} and then ${many}`;
  const contenders = stage.present(peers).map((peer): Contender => ({
    name: peer.name,
    measure: () => measure(stage, () => stage.startOne(peer, backend, workers), many),
  }));
  // What a process takes for a connection differs little from one to the next.
  const rounds = Math.min(2, stage.options.rounds);
  return {
    title,
    columns: [
      { key: 'started', head: 'MiB after start', digits: 1 },
      { key: 'few', head: `KiB each of ${FEW}`, digits: 1 },
      { key: 'many', head: `KiB each of ${many}`, digits: 1 },
      { key: 'held', head: 'held', digits: 0 },
      { key: 'total', head: 'MiB in all', digits: 0 },
    ],
    compared: { key: 'many', better: 'below 1' },
    ...(await interleave(title, contenders, { rounds, warmUps: 0 })),
    notes:
      real === MANY
        ? []
        : [
            `A process may have ${fileLimit()} files here, and oldhello keeps three for each connection: hence ${real}.`,
          ],
  };
}

/** A new process for each round, since none gives back all it had. */
async function measure(stage: Stage, start: () => Promise<Running>, many: number): Promise<Sample | Unable> {
  const server = await start();
  const loads: Measured[] = [];
  const atStart = await settled(server);
  const grow = async (count: number): Promise<number | Unable> => {
    const load = stage.startLoad('./load/idle.js', { port: server.port, count } satisfies IdleLoad);
    loads.push(load);
    const result = JSON.parse(await load.nextLine(OPENING_TIMEOUT_MS)) as IdleResult | Unable;
    return 'unable' in result ? result : settled(server);
  };
  try {
    const withFew = await grow(FEW);
    if (typeof withFew !== 'number') return withFew;
    const withMany = await grow(many - FEW);
    if (typeof withMany !== 'number') return withMany;
    let held = 0;
    for (const load of loads) {
      load.nudge();
      held += (JSON.parse(await load.nextLine(OPENING_TIMEOUT_MS)) as IdleResult).open;
    }
    return {
      started: atStart / MIB,
      few: (withFew - atStart) / FEW / KIB,
      many: (withMany - atStart) / many / KIB,
      held,
      total: withMany / MIB,
    };
  } catch (error) {
    return { unable: (error as Error).message };
  } finally {
    for (const load of loads) await load.stop();
    await stage.stop(server);
  }
}

/** Memory once a garbage collector has had its chance. */
async function settled({ process: server }: Running): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return server.memory;
}

/** oldhello keeps three files for each connection, of which an idle one has two; the others need no more. */
function mostConnections(): number {
  return 100 * Math.floor((fileLimit() - FILES_BESIDES) / 3 / 100);
}

function fileLimit(): number {
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
}

/** Those whose workers are processes, each with files of its own. */
const IN_PROCESSES = OTHERS.filter(({ name }) => name === 'nginx' || name === 'hitch');

const FEW = 1000;
const MANY = 10_000;
/** Files that a process has open for other things. */
const FILES_BESIDES = 100;
const KIB = 1024;
const MIB = 1024 * 1024;

const SETTLE_MS = 2000;
/** Milliseconds that opening all connections may take. */
const OPENING_TIMEOUT_MS = 90_000;
