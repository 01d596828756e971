/** From being spawned to the first connection that is accepted. */
import { OTHERS, ours } from '../peers/implicit.js';
import type { Comparison } from '../results.js';
import { interleave, type Contender } from '../rounds.js';
import type { Stage } from '../stage.js';

export async function* startup(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const title = 'Start-up, from spawn to the first connection';
  const contenders = stage.present([ours, ...OTHERS]).map((peer): Contender => ({
    name: peer.name,
    async measure() {
      const running = await stage.startOne(peer, backend);
      await stage.stop(running);
      return { milliseconds: running.startup };
    },
  }));
  yield {
    title,
    columns: [{ key: 'milliseconds', head: 'ms', digits: 0 }],
    compared: { key: 'milliseconds', better: 'below 1' },
    ...(await interleave(title, contenders, stage.plan(2))),
    notes: [],
  };
}
