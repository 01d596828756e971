/** What becomes of a connection's cost as more come at once. */
import type { HandshakeLoad } from '../load/handshakes.js';
import { floor, OTHERS, ours } from '../peers/implicit.js';
import type { Comparison } from '../results.js';
import { interleave } from '../rounds.js';
import type { Running, Stage } from '../stage.js';
import { rated, RATE_COLUMNS } from './rate.js';

const CLIENTS = [1, 10, 100, 1000];

export async function* growth(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const running = await stage.start([ours, floor, ...OTHERS], backend);
  for (const clients of CLIENTS) {
    const title = `Full handshakes with ${clients} ${clients === 1 ? 'client' : 'clients at a time'}, AES128-SHA`;
    const contenders = running.map((one) => rated(stage, one, './load/handshakes.js', job(one, clients)));
    yield {
      title,
      columns: RATE_COLUMNS,
      compared: { key: 'perSecond', better: 'above 1' },
      ...(await interleave(title, contenders, stage.plan(0.5))),
      notes: [],
    };
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
