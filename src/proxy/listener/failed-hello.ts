/** Which failed handshakes would fail again if the client repeated its hello. */
import type { ConnectionEvent } from '../../observe/connection-record.js';
import { REFUSALS } from '../../tls/index.js';

/** @returns a name for what the hello offers, where nothing in it suits this server; else undefined */
export function unservableHello(event: ConnectionEvent): string | undefined {
  if (event.hello === undefined || !failsAlways(event)) return undefined;
  const { hash, short } = event.hello.fingerprint;
  return `${hash} ${short}`;
}

/** No shared version, suite or certificate. Aborts, resets, timeouts and protocol violations say nothing. */
function failsAlways({ outcome, reason = '', alert = '' }: ConnectionEvent): boolean {
  switch (outcome) {
    case 'handshake_refused':
      return (
        Object.hasOwn(REFUSALS, reason) && REFUSALS[reason as keyof typeof REFUSALS].fault === 'incompatible'
      );
    case 'peer_alert':
      return CERTIFICATE_ALERTS.has(alert);
    case 'native_tls_failed':
      return NOTHING_SHARED.has(reason) || CERTIFICATE_ALERTS.has(alertOf(reason));
    default:
      return false;
  }
}

/** "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE" … */
function alertOf(code: string): string {
  return (/_ALERT_(\w+)$/.exec(code)?.[1] ?? '').toLowerCase();
}

/** What a client sends that cannot use our certificate (RFC 5246, 7.2.2). */
const CERTIFICATE_ALERTS: ReadonlySet<string> = new Set([
  'bad_certificate',
  'unsupported_certificate',
  'certificate_revoked',
  'certificate_expired',
  'certificate_unknown',
  'unknown_ca',
]);

/** OpenSSL's names for it. */
const NOTHING_SHARED: ReadonlySet<string> = new Set([
  'ERR_SSL_NO_SHARED_CIPHER',
  'ERR_SSL_NO_SHARED_GROUP',
  'ERR_SSL_NO_SUITABLE_GROUPS',
  'ERR_SSL_NO_SUITABLE_KEY_SHARE',
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
]);
