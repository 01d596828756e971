/**
 * What one hostile hello costs before anything is answered: reading it, describing it, and its line in the log. A hello
 * has at most 16 KiB; what it costs must not grow faster than its bytes.
 *
 * npm run bench:hello
 */
import { ConnectionRecord } from '../src/observe/connection-record.js';
import { explainFailure } from '../src/observe/explain.js';
import { createLog } from '../src/observe/log.js';
import { Acceptor, PRESETS } from '../src/tls/index.js';
import { USUAL_HELLO, wireHello, WORST_HELLOS } from '../test/support/worst-hellos.js';

let line = '';
const { log } = createLog({ level: 'info', repeatLimit: 0, write: (written) => (line = written) });
const parameters = { ...PRESETS.ancient, credentials: [] };

function describeAndLog(bytes: Buffer): void {
  const accepted = new Acceptor().push(Buffer.from(bytes));
  if (accepted?.kind !== 'client_hello') throw new Error(accepted?.kind);
  const { hello } = accepted;
  const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
  record.setHello(hello);
  record.recordFailure({
    outcome: 'handshake_refused',
    reason: 'no_shared_cipher_suite',
    explanation: () =>
      explainFailure({ reason: 'no_shared_cipher_suite', detail: undefined, hello, parameters }),
  });
  log('connection_closed', record.event());
}

/** Processor time, not time: other programs may run beside this one. */
function microsecondsEach(work: () => void): number {
  for (let turn = 0; turn < WARM_UP; turn++) work();
  const before = process.cpuUsage();
  for (let turn = 0; turn < TURNS; turn++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TURNS;
}

const WARM_UP = 200;
const TURNS = 1_000;

console.log(
  'one hello, with as many as fit'.padEnd(36),
  'bytes'.padStart(7),
  'CPU us'.padStart(8),
  'line'.padStart(6),
);
for (const [name, options] of Object.entries({ 'a usual one': USUAL_HELLO, ...WORST_HELLOS })) {
  const bytes = wireHello(options);
  const cost = microsecondsEach(() => describeAndLog(bytes));
  console.log(
    name.padEnd(36),
    String(bytes.length).padStart(7),
    cost.toFixed(0).padStart(8),
    String(line.length).padStart(6),
  );
}
