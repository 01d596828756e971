/** How long a client waits for its handshake while others come at a steady rate that every server can bear. */
import type { HandshakeLoad } from '../load/handshakes.js';
import { OTHERS, ours } from '../peers/implicit.js';
import type { Comparison } from '../results.js';
import { interleave } from '../rounds.js';
import type { Stage } from '../stage.js';
import { rated, RATE_COLUMNS } from './rate.js';

/** Connections a second. */
const RATES = [100, 300];

export async function* latency(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const running = await stage.start([ours, ...OTHERS], backend);
  for (const perSecond of RATES) {
    const title = `Latency from connect to the end of the handshake, ${perSecond} connections a second, AES128-SHA`;
    const contenders = running.map((one) => {
      const job: Omit<HandshakeLoad, 'milliseconds'> = {
        port: one.port,
        concurrency: 16,
        perSecond,
        until: 'established',
        kind: 'full',
        suite: 'AES128-SHA',
      };
      return rated(stage, one, './load/handshakes.js', job);
    });
    yield {
      title,
      columns: RATE_COLUMNS.map((column) => ({ ...column, digits: Math.max(1, column.digits) })),
      compared: { key: 'p99', better: 'below 1' },
      ...(await interleave(title, contenders, stage.plan())),
      notes: [],
    };
  }
}
