/** What becomes of a connection's cost as more come at once, and as there are more workers. */
import type { HandshakeLoad } from '../load/handshakes.js';
import { floor, OTHERS, ours } from '../peers/implicit.js';
import type { Comparison } from '../results.js';
import { interleave, type Contender } from '../rounds.js';
import { BOTH_CORES, SERVER_CORE, type Running, type Stage } from '../stage.js';
import { measureRate, RATE_COLUMNS } from './rate.js';

const CLIENTS = [1, 10, 100, 1000];
const WORKERS = [1, 2];

/** Enough for two workers never to wait for a client. */
const CLIENTS_OF_WORKERS = 64;

export async function* growth(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const running = await stage.start([ours, floor, ...OTHERS], backend);
  for (const clients of CLIENTS) {
    const title = `Full handshakes with ${clients} ${clients === 1 ? 'client' : 'clients at a time'}, AES128-SHA`;
    const contenders = running.map((one): Contender => ({
      name: one.peer.name,
      measure: () => measureRate(stage, one, './load/handshakes.js', job(one, clients)),
    }));
    yield {
      title,
      columns: RATE_COLUMNS,
      compared: { key: 'perSecond', better: 'above 1' },
      ...(await interleave(title, contenders, stage.plan(0.5, 3))),
      notes: [],
    };
  }
}

/** Those that can have more than one. */
const MANY_WORKERS = ['nginx', 'hitch', 'haproxy'];

export async function* workers(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const peers = stage.present([ours, ...OTHERS.filter(({ name }) => MANY_WORKERS.includes(name))]);
  for (const count of WORKERS) {
    const running: Running[] = [];
    const cores = count === 1 ? SERVER_CORE : BOTH_CORES;
    for (const peer of peers) running.push(await stage.startOne(peer, backend, count, cores));
    const title = `Full handshakes with ${count === 1 ? '1 worker' : `${count} workers`}, AES128-SHA`;
    const contenders = running.map((one): Contender => ({
      name: one.peer.name,
      async measure() {
        const sample = await measureRate(stage, one, './load/handshakes.js', job(one, CLIENTS_OF_WORKERS));
        if ('unable' in sample) return sample;
        const { perSecond = 0, cpu = 0 } = sample;
        return { ...sample, cores: (perSecond * cpu) / 1e6, perCore: 1e6 / cpu };
      },
    }));
    yield {
      title,
      columns: [
        ...RATE_COLUMNS,
        { key: 'cores', head: 'cores the server had', digits: 2 },
        { key: 'perCore', head: 'per core-second', digits: 0 },
      ],
      compared: { key: 'perCore', better: 'above 1' },
      ...(await interleave(title, contenders, stage.plan(0.5, 3))),
      notes: count === 1 ? [] : [SHARED],
    };
    for (const one of running) await stage.stop(one);
  }
}

function job({ peer, port }: Running, concurrency: number): Omit<HandshakeLoad, 'milliseconds'> {
  return {
    port,
    concurrency,
    until: 'greeting',
    kind: peer === floor ? 'steps' : 'full',
    suite: 'AES128-SHA',
  };
}

const SHARED =
  'The second worker shares its core with the load and the backend, so the rate is not twice that of one worker even where ' +
  'workers cost each other nothing. What a second worker is worth on a core of its own shows in `per core-second`, here ' +
  'against that of one worker: as many times two as it stays.';
