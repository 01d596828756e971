/** What the alerts of clients usually mean. docs/troubleshooting.md comes from this table. */
import type { AlertName } from '../tls/index.js';
import { sentence, type Explained } from './explained.js';

/** @param established whether it came after the handshake */
export function explainPeerAlert(alert: string, established: boolean): string {
  const row = Object.hasOwn(PEER_ALERTS, alert) ? PEER_ALERTS[alert as AlertName] : undefined;
  // The negotiation cannot be the cause any more.
  const known = established && row === DEAD_END ? undefined : row;
  return sentence(
    known ?? { meaning: `the client ended TLS with the alert ${alert}`, remedy: OTHER_ALERTS.remedy },
  );
}

const DISTRUST: Explained = {
  meaning:
    'the client does not trust our certificate, or cannot read it: many old clients support neither its issuer nor SHA-256',
  remedy:
    'switch verification off in the client, add our issuer to its trusted ones, or configure a certificate for old clients with use = "legacy"',
};
const DEAD_END: Explained = {
  meaning:
    'the client could not continue with the chosen parameters; with DHE, it may not support a group as long as ours',
  remedy: 'set profile = "ancient" for its network in a [[policy]]; that profile has a short DHE group',
};
const DAMAGED: Explained = {
  meaning:
    'the client could not read our data: it was damaged on the way, or one of the two programs has a defect',
  remedy:
    'look for a device on the way that changes data; if it is always this client, report it with its fingerprint',
};
export const OTHER_ALERTS: Explained = {
  meaning: 'the client ended TLS with another alert',
  remedy: 'look the alert up in RFC 5246, 7.2, and read the log of the client',
};

export const PEER_ALERTS: Partial<Record<AlertName, Explained>> = {
  close_notify: {
    meaning: 'the client closed TLS with close_notify before the handshake was complete',
    remedy:
      'nothing if it is rare; scanners do this, and so do clients that reject a certificate without an alert for it',
  },
  unexpected_message: DAMAGED,
  bad_record_mac: DAMAGED,
  decryption_failed: DAMAGED,
  record_overflow: DAMAGED,
  decode_error: DAMAGED,
  decrypt_error: DAMAGED,
  handshake_failure: DEAD_END,
  illegal_parameter: DEAD_END,
  no_certificate: {
    meaning: 'the client has no certificate of its own, although we did not request one',
    remedy: 'report it with its fingerprint',
  },
  bad_certificate: DISTRUST,
  unsupported_certificate: DISTRUST,
  certificate_unknown: DISTRUST,
  unknown_ca: DISTRUST,
  certificate_revoked: {
    meaning: 'the client considers our certificate revoked',
    remedy: 'use a certificate that is not revoked',
  },
  certificate_expired: {
    meaning: 'the client considers our certificate expired; its clock may be wrong',
    remedy: 'renew the certificate if it has expired; otherwise set the clock of the client',
  },
  access_denied: {
    meaning: 'the client read our certificate and denies access to its subject',
    remedy: 'compare the name in the certificate with the server name that is set in the client',
  },
  protocol_version: {
    meaning: 'the client does not accept the protocol version that was chosen',
    remedy:
      'allow the versions that it accepts in a [[policy]] for its network; hello.version is the newest of them',
  },
  insufficient_security: {
    meaning: 'the client requires stronger security than what was chosen',
    remedy: 'allow newer versions and stronger suites, or change the settings of the client',
  },
  internal_error: { meaning: 'the client had an internal error', remedy: 'read the log of the client' },
  inappropriate_fallback: {
    meaning: 'the client sent inappropriate_fallback, an alert that only servers should send',
    remedy: 'report it with its fingerprint',
  },
  user_canceled: { meaning: 'a user of the client cancelled', remedy: 'nothing' },
  unrecognized_name: {
    meaning: 'the client sent unrecognized_name, an alert that only servers should send',
    remedy: 'compare the name in the certificate with the server name that is set in the client',
  },
};
