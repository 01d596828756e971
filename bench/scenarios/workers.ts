/** What becomes of a connection's cost with more workers, and what one worker does that has a core to itself. */
import type { HandshakeLoad } from '../load/handshakes.js';
import { OTHERS, ours } from '../peers/implicit.js';
import { pin, processorOf } from '../process.js';
import { OURS, type Column, type Comparison } from '../results.js';
import { interleave, type Contender } from '../rounds.js';
import { BOTH_CORES, LOAD_CORE, SERVER_CORE, type Running, type Stage } from '../stage.js';
import { rated, RATE_COLUMNS, type Rated } from './rate.js';

/** Those that can have more than one. */
const MANY_WORKERS = ['nginx', 'hitch', 'haproxy'];

export async function* workers(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  yield* counted(stage, backend, 1, SERVER_CORE);
  yield* counted(stage, backend, 2, BOTH_CORES);
  yield* alone(stage, backend);
}

async function* counted(
  stage: Stage,
  backend: number,
  count: number,
  cores: string,
): AsyncGenerator<Comparison> {
  const peers = stage.present([ours, ...OTHERS.filter(({ name }) => MANY_WORKERS.includes(name))]);
  const running: Running[] = [];
  for (const peer of peers) running.push(await stage.startOne(peer, backend, count, cores));
  const title = `Full handshakes with ${count === 1 ? '1 worker' : `${count} workers`}, AES128-SHA`;
  const contenders = running.map((one) => contender(stage, one.peer.name, one));
  yield {
    title,
    columns: COLUMNS,
    compared: { key: 'perCore', better: 'above 1' },
    ...(await interleave(title, contenders, stage.plan(0.5))),
    notes: count === 1 ? [] : [SHARED],
  };
  for (const one of running) await stage.stop(one);
}

/** Against one process, which accepts and logs on the same core. There are as many workers as cores when it starts. */
async function* alone(stage: Stage, backend: number): AsyncGenerator<Comparison> {
  if (stage.present([ours]).length === 0) return;
  const single = await stage.startOne(ours, backend);
  const pool = await stage.startOne(ours, backend, 'auto');
  // There is a worker once somebody was served.
  await contender(stage, OURS, pool).measure();
  const [first, ...others] = pool.process.pids;
  pin(first!, LOAD_CORE);
  const title = 'Full handshakes by one worker alone on its core, AES128-SHA';
  const contenders = [
    contender(stage, OURS, { ...pool, process: processorOf(others) }),
    contender(stage, 'one process', single),
  ];
  yield {
    title,
    columns: COLUMNS,
    compared: { key: 'perCore', better: 'above 1' },
    ...(await interleave(title, contenders, stage.plan())),
    notes: [ALONE],
  };
  for (const one of [single, pool]) await stage.stop(one);
}

function contender(stage: Stage, name: string, running: Rated & Pick<Running, 'port'>): Contender {
  const rate = rated(stage, running, './load/handshakes.js', job(running.port));
  return {
    ...rate,
    name,
    async measure() {
      const sample = await rate.measure();
      if ('unable' in sample) return sample;
      const { perSecond = 0, cpu = 0 } = sample;
      return { ...sample, cores: (perSecond * cpu) / 1e6, perCore: 1e6 / cpu };
    },
  };
}

function job(port: number): Omit<HandshakeLoad, 'milliseconds'> {
  return { port, concurrency: CLIENTS, until: 'greeting', kind: 'full', suite: 'AES128-SHA' };
}

const COLUMNS: readonly Column[] = [
  ...RATE_COLUMNS,
  { key: 'cores', head: 'cores the server had', digits: 2 },
  { key: 'perCore', head: 'per core-second', digits: 0 },
];

/** Enough for two workers never to wait for a client. */
const CLIENTS = 64;

const SHARED =
  'The second worker shares its core with the load and the backend, so the rate is not twice that of one worker even where ' +
  'workers cost each other nothing; `per core-second` counts the process that accepts in.';
const ALONE =
  'Here the process that accepts has the core of the load, and only the worker is counted: so much of a process that does ' +
  'everything is each worker that has a core to itself.';
