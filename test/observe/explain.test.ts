/** What the log says of a failure: what happened, with what the client offered, and what to do. */
import { test } from 'tap';
import { explainFailure } from '../../src/observe/explain.js';
import { explainPeerAlert } from '../../src/observe/peer-alerts.js';
import { OUTCOMES, type Outcome } from '../../src/observe/outcomes.js';
import { ConnectionRecord, type ConnectionEvent } from '../../src/observe/connection-record.js';
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
    /^the client offers only EXPORT suites and cipher kinds of SSL 2\.0 \(TLS_RSA_EXPORT_WITH_RC4_40_MD5, TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5, 1 of SSL 2\.0\), which oldhello never accepts: /,
  );
  const ecdsa = readHello({ version: 0x0303, extensions: [[13, Buffer.from([0, 2, 4, 3])]] });
  t.match(
    explainFailure({ reason: 'no_shared_signature_algorithm', hello: ecdsa, parameters }),
    /only the signature algorithms 0x0403, and none of them works with RSA certificates/,
  );
});

test('suites that nothing here serves are named, with the reason, and no setting is advised', async (t) => {
  const cases: [suites: number[], name: RegExp][] = [
    [[0x0001, 0x0002, 0x003b], /NULL suites \(TLS_RSA_WITH_NULL_MD5, .*: they do not encrypt\./],
    [[0x0003, 0x0008, 0x00ff], /EXPORT suites \(TLS_RSA_EXPORT_WITH_RC4_40_MD5, .*40 or 56 bits/],
    [[0x0018, 0x0034], /anonymous suites \(TLS_DH_anon_WITH_RC4_128_MD5, /],
    [[0x0013, 0x0038], /DSS suites \(TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA, TLS_DHE_DSS_WITH_AES_256_CBC_SHA\)/],
    [[0x0007], /\(IDEA, RC2, SEED and the like\) \(TLS_RSA_WITH_IDEA_CBC_SHA\)/],
    [[0x0007, 0x0066], /IDEA.* and DSS suites .*; DSS suites: they need a certificate with a DSA key/],
    [[0x010080, 0x0700c0], /kinds of SSL 2\.0 \(SSL_CK_RC4_128_WITH_MD5, SSL_CK_DES_192_EDE3_CBC_WITH_MD5\)/],
    [[0xabcd], /without a registered name \(0xabcd\)/],
  ];
  for (const [suites, name] of cases) {
    const hello = readHello({ format: 'sslv2', version: 0x0301, suites });
    const text = explainFailure({ reason: 'no_shared_cipher_suite', hello, parameters });
    t.match(text, name);
    t.match(text, /no setting of oldhello helps\.$/);
    t.notMatch(text, /rc4 =|triple-des|single-des/);
  }
});

test('where a setting allows what is offered, that setting is named', async (t) => {
  const remedy = (suites: number[], allowed = parameters): string =>
    explainFailure({
      reason: 'no_shared_cipher_suite',
      hello: readHello({ version: 0x0301, suites }),
      parameters: allowed,
    }).replace(/.*What to do: /, '');
  t.match(remedy([0x0009, 0x0003]), /^set single-des = true in \[tls\], or/);
  t.match(
    remedy([0x0004, 0x000a], { ...parameters, cipherSuites: [] }),
    /^set rc4 = true, triple-des = true in/,
  );
  t.match(
    remedy([0xc009]),
    /RSA certificate/,
    'with an ECDSA suite that is allowed, the certificate is missing',
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
  t.match(explainPeerAlert('unknown_ca', true), /does not trust our certificate.* What to do: .*legacy/);
  t.match(explainPeerAlert('alert_199', false), /the alert alert_199\. What to do: /);
  t.match(explainPeerAlert('toString', false), /the alert toString\. What to do: /);
  t.match(explainPeerAlert('handshake_failure', false), /DHE/);
  t.notMatch(
    explainPeerAlert('handshake_failure', true),
    /DHE/,
    'after the handshake its group was good enough',
  );
});

test('a client that closes right after the handshake is distinguished from one that sent SMTP', async (t) => {
  const event = (
    path: 'engine' | 'passthrough',
    before: number,
    after: number,
    gone = false,
  ): ConnectionEvent => {
    const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
    record.fromClient = before;
    record.established({ path, version: 'TLSv1', suite: 'AES128-SHA' });
    record.fromClient += after;
    if (gone) record.recordFailure({ outcome: 'client_gone', reason: 'ECONNRESET' });
    return record.event();
  };
  const left = event('engine', 30, 0);
  t.equal(left.outcome, 'left_after_handshake');
  t.equal(left.fault, undefined);
  t.match(left.explanation, /rejected the certificate or the name in it/);
  t.match(event('engine', 0, 0, true), { outcome: 'left_after_handshake', reason: 'ECONNRESET' });
  t.equal(event('engine', 30, 6).outcome, 'completed');
  t.equal(event('engine', 30, 6, true).outcome, 'client_gone');
  t.equal(event('passthrough', 200, 0).outcome, 'completed');
});
