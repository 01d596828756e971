/** What the first connections after the start cost, and one a second: how a server with little mail lives. */
import type { ColdLoad, Group } from '../load/cold.js';
import { OTHERS, ours } from '../peers/implicit.js';
import type { Comparison } from '../results.js';
import { interleave, type Contender, type Sample, type Unable } from '../rounds.js';
import type { Running, Stage } from '../stage.js';

export async function* cold(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const peers = stage.present([ours, ...OTHERS]);
  const warm = stage.options.quick ? QUICK_WARM : WARM;
  const contenders = peers.map((peer): Contender => ({
    name: peer.name,
    async measure() {
      const running = await stage.startOne(peer, backend);
      const groups = await play(stage, running, [1, 10, 100, warm, 100], 0);
      await stage.stop(running);
      if ('unable' in groups) return groups;
      const [first, ten, hundred, , last] = groups as [Group, Group, Group, Group, Group];
      return {
        first: first.cpu,
        ten: ten.cpu,
        hundred: hundred.cpu,
        warm: last.cpu,
        tenToWarm: ten.cpu / last.cpu,
        hundredToWarm: hundred.cpu / last.cpu,
        firstLatency: first.latency,
        tenLatency: ten.latency,
        hundredLatency: hundred.latency,
        warmLatency: last.latency,
      };
    },
  }));
  yield {
    title: 'Server CPU of the first connections after the start, AES128-SHA',
    columns: [
      { key: 'first', head: 'us: the 1st', digits: 0 },
      { key: 'ten', head: '2-11', digits: 0 },
      { key: 'hundred', head: '12-111', digits: 0 },
      { key: 'warm', head: `after ${warm} more`, digits: 0 },
      { key: 'tenToWarm', head: '2-11 to warm', digits: 2 },
      { key: 'hundredToWarm', head: '12-111 to warm', digits: 2 },
      { key: 'firstLatency', head: 'p50 ms: the 1st', digits: 1 },
      { key: 'tenLatency', head: '2-11', digits: 1 },
      { key: 'hundredLatency', head: '12-111', digits: 1 },
      { key: 'warmLatency', head: 'warm', digits: 1 },
    ],
    compared: { key: 'ten', better: 'below 1' },
    ...(await interleave('cold', contenders, stage.plan(1, 0))),
    notes: [],
  };
  yield await onePerSecond(stage, backend);
}

async function onePerSecond(stage: Stage, backend: number): Promise<Comparison> {
  const title = 'Server CPU of one connection a second for a minute after the start, AES128-SHA';
  const seconds = stage.options.quick ? 3 : 60;
  const peers = stage.present([ours, ...OTHERS].filter(({ name }) => PATIENT.includes(name)));
  const contenders = peers.map((peer): Contender => ({
    name: peer.name,
    async measure(): Promise<Sample | Unable> {
      const running = await stage.startOne(peer, backend);
      const groups = await play(stage, running, [seconds], 1000);
      await stage.stop(running);
      if ('unable' in groups) return groups;
      return { cpu: groups[0]!.cpu, latency: groups[0]!.latency };
    },
  }));
  return {
    title,
    columns: [
      { key: 'cpu', head: 'server CPU us each', digits: 0 },
      { key: 'latency', head: 'p50 ms', digits: 1 },
    ],
    compared: { key: 'cpu', better: 'below 1' },
    ...(await interleave(title, contenders, { rounds: 1, warmUps: 0 })),
    notes: [],
  };
}

async function play(
  stage: Stage,
  { port, process: server }: Running,
  groups: readonly number[],
  pause: number,
): Promise<readonly Group[] | Unable> {
  const load: ColdLoad = { port, suite: 'AES128-SHA', pids: server.pids, groups, pause };
  const count = groups.reduce((sum, size) => sum + size, 0);
  const result = await stage.load<{ groups: Group[] }>(
    './load/cold.js',
    load,
    count * (pause + CONNECTION_MS),
  );
  return 'unable' in result ? result : result.groups;
}

/** Connections after which one costs hardly less any more. */
const WARM = 1500;
const QUICK_WARM = 100;
/** A minute each is for these. */
const PATIENT = ['oldhello', 'nginx', 'stunnel'];
/** Milliseconds that a connection may take. */
const CONNECTION_MS = 30;
