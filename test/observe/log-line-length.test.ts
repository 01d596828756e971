/** However much a hello offers, its line in the log stays a line. */
import { test } from 'tap';
import { ConnectionRecord } from '../../src/observe/connection-record.js';
import { explainFailure } from '../../src/observe/explain.js';
import { createLog } from '../../src/observe/log.js';
import { PRESETS, REFUSALS, type RefusalReason } from '../../src/tls/index.js';
import { readWire, WORST_HELLOS } from '../support/worst-hellos.js';

/** Characters. */
const MAX_LINE_LENGTH = 4_000;

for (const [what, options] of Object.entries(WORST_HELLOS)) {
  test(`a hello full of ${what} makes no long line, whatever it is refused for`, async (t) => {
    const hello = readWire(options);
    const parameters = { ...PRESETS.ancient, credentials: [] };
    let line = '';
    const { log } = createLog({ level: 'info', repeatLimit: 0, write: (written) => (line = written) });
    for (const reason of Object.keys(REFUSALS) as RefusalReason[]) {
      const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
      record.setHello(hello);
      const explanation = (): string => explainFailure({ reason, detail: undefined, hello, parameters });
      record.recordFailure({ outcome: 'handshake_refused', reason, explanation });
      const event = record.event();
      log('connection_closed', event);
      t.ok(line.length < MAX_LINE_LENGTH, `${reason}: ${line.length} characters`);
      t.match(event.hello?.fingerprint.hash, /^[0-9a-f]{32}$/);
      t.ok((event.hello?.fingerprint.text ?? '').length <= 1024);
    }
  });
}
