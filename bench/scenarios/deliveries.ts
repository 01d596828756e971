/** Complete deliveries of a mail of 10 KB over STARTTLS, to a mail server that says yes to everything. */
import type { SuiteName } from '../load/old-client.js';
import { starttlsPeers } from '../peers/starttls.js';
import type { Comparison } from '../results.js';
import { interleave } from '../rounds.js';
import type { Stage } from '../stage.js';
import { rated, RATE_COLUMNS } from './rate.js';

/** stunnel listens 200 ms to each client before it speaks; with so many at a time that holds up nobody else. */
const CONCURRENCY = 200;
const SUITE: SuiteName = 'AES128-SHA';

export async function* deliveries(stage: Stage): AsyncGenerator<Comparison> {
  const sink = await stage.startBackend('./load/sink.js');
  const auth = await stage.startBackend('./load/auth.js', sink);
  const running = await stage.start(starttlsPeers(auth), sink);
  const title = 'Deliveries over STARTTLS: SSLv2-format hello, RSA, AES128-SHA, 10 KB';
  const contenders = running.map((one) =>
    rated(stage, one, './load/deliveries.js', { port: one.port, concurrency: CONCURRENCY, suite: SUITE }),
  );
  yield {
    title,
    columns: RATE_COLUMNS,
    compared: { key: 'perSecond', better: 'above 1' },
    ...(await interleave(title, contenders, stage.plan())),
    notes: [
      'stunnel waits 200 ms of its own before it greets, so its latency says nothing; its rate and CPU do.',
      'Every server has one backend session a delivery; `oldhello-live` has two, with first-session = "live".',
    ],
  };
}
