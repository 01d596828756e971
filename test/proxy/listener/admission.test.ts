/** What the end of a connection says about whether its client can do TLS here. */
import { test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import type { Config } from '../../../src/config/schema.js';
import { ConnectionRecord, type ConnectionEvent } from '../../../src/observe/connection-record.js';
import { AdmissionControl } from '../../../src/proxy/listener/admission.js';
import type { ConfigSnapshot } from '../../../src/proxy/config-snapshot.js';
import { proxyConfig, type Table } from '../../support/proxy-config.js';

const CLIENT = { address: '192.0.2.7', port: 4000 };

function configWith(listener: Table): Config {
  return parseConfig(
    proxyConfig({ listeners: [{ name: 'clients', ...listener }], limits: { 'starttls-suppress-after': 2 } }),
    'oldhello.toml',
  );
}

const MX = configWith({ address: '127.0.0.1:25' });

type Ending = Pick<ConnectionEvent, 'outcome'> & Partial<Pick<ConnectionEvent, 'reason' | 'alert' | 'tls'>>;

/** Ends connections one after another, and says whether the next one would be offered STARTTLS. */
function isOfferedAfter(config: Config, endings: readonly (Ending & { hello?: string })[]): boolean {
  const listener = config.listeners[0]!;
  const control = new AdmissionControl(() => undefined);
  for (const { hello = 'the same', ...ending } of endings) {
    const event = { ...new ConnectionRecord('clients', CLIENT).event(), ...ending, hello: helloNamed(hello) };
    control.remember(event, listener, config.limits);
  }
  const snapshot = { config, policyFor: () => undefined } as unknown as ConfigSnapshot;
  const admission = control.admit(CLIENT, listener, snapshot);
  return admission.admitted && admission.offerStarttls;
}

function helloNamed(hash: string): NonNullable<ConnectionEvent['hello']> {
  return { fingerprint: { hash, short: '' } } as NonNullable<ConnectionEvent['hello']>;
}

test('the networks of a policy entry are not read again for each of its clients', async (t) => {
  let reads = 0;
  const policy = {
    maxConnections: 2,
    get networks() {
      reads += 1;
      return ['192.0.2.0/24'];
    },
  };
  const snapshot = { config: MX, policyFor: () => policy } as unknown as ConfigSnapshot;
  const control = new AdmissionControl(() => undefined);
  const admissions = [1, 2, 3].map((port) => control.admit({ ...CLIENT, port }, MX.listeners[0]!, snapshot));
  t.same(
    admissions.map(({ admitted }) => admitted),
    [true, true, false],
  );
  t.equal(reads, 1);
});

test('STARTTLS is suppressed after the same hello failed for want of anything shared', async (t) => {
  const endings: Ending[] = [
    ...[
      'no_shared_version',
      'sslv2_hello_not_allowed',
      'no_shared_cipher_suite',
      'no_shared_signature_algorithm',
      'no_shared_dh_group',
    ].map((reason) => ({ outcome: 'handshake_refused' as const, reason })),
    ...[
      'bad_certificate',
      'unsupported_certificate',
      'certificate_expired',
      'certificate_unknown',
      'unknown_ca',
    ].map((alert) => ({ outcome: 'peer_alert' as const, alert })),
    ...[
      'ERR_SSL_NO_SHARED_CIPHER',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
    ].map((reason) => ({ outcome: 'native_tls_failed' as const, reason })),
  ];
  for (const ending of endings) {
    t.equal(isOfferedAfter(MX, [ending]), true, `${JSON.stringify(ending)} once`);
    t.equal(isOfferedAfter(MX, [ending, ending]), false, `${JSON.stringify(ending)} twice`);
  }
});

test('aborts, resets, timeouts, violations and failures of others are no evidence against a client', async (t) => {
  const endings: Ending[] = [
    { outcome: 'handshake_refused', reason: 'inappropriate_fallback' },
    { outcome: 'handshake_refused', reason: 'malformed_message' },
    { outcome: 'handshake_refused', reason: 'internal_error' },
    { outcome: 'peer_alert', alert: 'user_canceled' },
    { outcome: 'peer_alert', alert: 'handshake_failure' },
    { outcome: 'native_tls_failed', reason: 'ERR_SSL_TLSV1_ALERT_USER_CANCELLED' },
    { outcome: 'native_tls_failed', reason: 'ECONNRESET' },
    { outcome: 'not_tls', reason: 'plaintext' },
    { outcome: 'client_gone', reason: 'ECONNRESET' },
    { outcome: 'client_timeout' },
    { outcome: 'passthrough_failed' },
    { outcome: 'backend_failed' },
    { outcome: 'backend_timeout' },
    { outcome: 'shutdown' },
  ];
  for (const ending of endings)
    t.equal(isOfferedAfter(MX, Array<Ending>(5).fill(ending)), true, JSON.stringify(ending));
});

test('a scanner that probes with many hellos takes STARTTLS from nobody at its address', async (t) => {
  const refused = { outcome: 'handshake_refused', reason: 'no_shared_cipher_suite' } as const;
  const probes = Array.from({ length: 50 }, (_, index) => ({ ...refused, hello: `probe ${index}` }));
  t.equal(isOfferedAfter(MX, probes), true);
});

test('an address where a handshake succeeded keeps STARTTLS', async (t) => {
  const refused = { outcome: 'handshake_refused', reason: 'no_shared_version' } as const;
  const tls = {} as NonNullable<ConnectionEvent['tls']>;
  t.equal(isOfferedAfter(MX, [{ outcome: 'completed', tls }, refused, refused, refused]), true);
  t.equal(isOfferedAfter(MX, [refused, refused, { outcome: 'completed', tls }]), true);
});

test('where clients log in, STARTTLS is never suppressed', async (t) => {
  const refused = { outcome: 'handshake_refused', reason: 'no_shared_version' } as const;
  const submission = configWith({ address: '127.0.0.1:587' });
  const strong = configWith({ address: '127.0.0.1:2587', auth: 'strong-tls' });
  for (const config of [submission, strong])
    t.equal(isOfferedAfter(config, Array(5).fill(refused)), true, config.listeners[0]!.auth);
});
