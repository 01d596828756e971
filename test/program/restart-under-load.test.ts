/**
 * Restarts and reloads in the middle of much mail: what a client was told is delivered has been delivered, once.
 * `npm run soak:restart` does the same for longer.
 */
import { test } from 'tap';
import { startMailLoad } from '../support/mail-load.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

/** Acknowledged messages in all. */
const MESSAGES = Number(process.env['OLDHELLO_SOAK_MESSAGES'] ?? 200);
const CLIENTS = 8;
/** Restarts, each with a reload before it. */
const RESTARTS = Math.max(2, Math.floor(MESSAGES / 500));

for (const workers of [1, 2]) {
  test(`with ${workers} process(es), no acknowledged message is lost or doubled`, async (t) => {
    const sink = await startTestSink();
    const config = proxyConfig({
      server: { workers },
      backend: { address: sink.port },
      tls: { profile: 'ancient' },
      limits: {
        'shutdown-timeout': '500ms',
        'max-connections-per-address': 1000,
        'handshakes-per-second-per-address': 0,
      },
      log: { level: 'debug' },
    });
    const start = (): Promise<Program> => startProgram(config, 1);
    let program = await start();
    const load = startMailLoad(() => program.ports.get('mx')!, CLIENTS);
    for (let turn = 1; turn <= RESTARTS; turn += 1) {
      await load.reach(((turn - 0.5) * MESSAGES) / (RESTARTS + 1));
      program.signal('SIGHUP');
      await program.next('reloaded');
      await load.reach((turn * MESSAGES) / (RESTARTS + 1));
      const old = program;
      program = await start();
      t.equal(await old.stop(), 0);
    }
    await load.reach(MESSAGES);
    await load.stop();
    t.equal(await program.stop(), 0);
    const arrived = new Map<string, number>();
    for (const { from } of sink.delivered) arrived.set(from, (arrived.get(from) ?? 0) + 1);
    const wrong = [...load.acknowledged].filter((from) => arrived.get(from) !== 1);
    t.same(wrong, [], `each of ${load.acknowledged.size} acknowledged messages is there exactly once`);
    t.same(
      [...arrived].filter(
        ([from, times]) => times > 1 || !(load.acknowledged.has(from) || load.uncertain.has(from)),
      ),
      [],
      'and nothing else, or more often',
    );
    t.comment(`${load.uncertain.size} messages were cut off before their 250`);
    sink.close();
  });
}
