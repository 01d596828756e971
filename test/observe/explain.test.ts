/** What the log says of a failure: what happened, with what the client offered, and what to do. */
import { test } from 'tap';
import { explainFailure, explainPeerAlert } from '../../src/observe/explain.js';
import { OUTCOMES, type Outcome } from '../../src/observe/outcomes.js';
import { ConnectionRecord } from '../../src/observe/connection-record.js';
import { PRESETS, REFUSALS, type RefusalReason } from '../../src/tls/index.js';
import { readHello } from '../support/hellos.js';
import { RSA } from '../support/test-server.js';

const parameters = { ...PRESETS.legacy, credentials: [RSA.credential] };

test('a refusal names what the client offered and what was missing', async (t) => {
  const sslv3 = readHello({ version: 0x0300, suites: [4, 5] });
  t.match(
    explainFailure({ reason: 'no_shared_version', hello: sslv3, parameters }),
    /^the client offers at most SSLv3, and this listener allows TLSv1 to TLSv1\.2\. What to do: .*ancient/,
  );
  const exported = readHello({ format: 'sslv2', version: 0x0301, suites: [3, 6, 0x020080] });
  t.match(
    explainFailure({ reason: 'no_shared_cipher_suite', hello: exported, parameters }),
    /^the client offers only 0x0003, 0x0006, 1 of SSL 2\.0; allowed here is none of them with RSA certificates\. What to do: /,
  );
  const ecdsa = readHello({ version: 0x0303, extensions: [[13, Buffer.from([0, 2, 4, 3])]] });
  t.match(
    explainFailure({ reason: 'no_shared_signature_algorithm', hello: ecdsa, parameters }),
    /only the signature algorithms 0x0403; none goes with RSA certificates/,
  );
});

test('every refusal is explained, with a hello and without', async (t) => {
  const hello = readHello({});
  for (const reason of Object.keys(REFUSALS) as RefusalReason[]) {
    for (const seen of [hello, undefined]) {
      const said = explainFailure({ reason, detail: 'a detail', hello: seen, parameters });
      t.match(said, /\(a detail\)\. What to do: .+\.$/, reason);
    }
  }
});

test('every outcome that is a failure is explained in the session event', async (t) => {
  for (const outcome of Object.keys(OUTCOMES) as Outcome[]) {
    const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
    record.recordFailure({ outcome, reason: 'some-limit' });
    const { explanation } = record.event();
    if (OUTCOMES[outcome].remedy === undefined) t.equal(explanation, undefined, outcome);
    else t.match(explanation, /\(some-limit\)\. What to do: /, outcome);
  }
});

test('an alert of the client is explained, known or not', async (t) => {
  t.match(explainPeerAlert('unknown_ca'), /does not trust our certificate.* What to do: .*legacy/);
  t.match(explainPeerAlert('alert_199'), /the alert alert_199\. What to do: /);
  t.match(explainPeerAlert('toString'), /the alert toString\. What to do: /);
});
