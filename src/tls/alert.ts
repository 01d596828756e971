/**
 * Alerts, and the one table that maps every reason to end a connection to its alert, the side at fault and a sentence.
 * A refusal has only its reason, so the alert cannot differ from the log, the metrics or the documentation.
 */

/** RFC 5246, 7.2; inappropriate_fallback is RFC 7507, no_certificate exists in SSLv3 only (RFC 6101, 5.4.2). */
export const AlertDescription = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed: 21,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  export_restriction: 60,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  unsupported_extension: 110,
  certificate_unobtainable: 111,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  bad_certificate_hash_value: 114,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;
export type AlertName = keyof typeof AlertDescription;
export type AlertDescription = (typeof AlertDescription)[AlertName];

export const AlertLevel = { warning: 1, fatal: 2 } as const;
export type AlertLevel = (typeof AlertLevel)[keyof typeof AlertLevel];

/**
 * The cause of a refusal. `undecodable`: cannot be decoded; `misbehaved`: can be decoded but is forbidden;
 * `incompatible`: legal, but nothing in common with this server; `local`: an error of our own.
 */
export type Fault = 'undecodable' | 'misbehaved' | 'incompatible' | 'local';

interface Refusal {
  readonly alert: AlertName;
  readonly fault: Fault;
  readonly meaning: string;
}

/** Every reason for which the engine ends a connection with a fatal alert. */
export const REFUSALS = {
  malformed_message: {
    alert: 'decode_error',
    fault: 'undecodable',
    meaning: 'a handshake message did not have the structure that the specification requires',
  },
  malformed_sslv2_hello: {
    alert: 'decode_error',
    fault: 'undecodable',
    meaning: 'the lengths inside the SSLv2-format ClientHello contradict each other',
  },
  short_challenge: {
    alert: 'illegal_parameter',
    fault: 'misbehaved',
    meaning: 'the challenge of the SSLv2-format ClientHello has fewer than 16 bytes',
  },
  not_tls: {
    alert: 'protocol_version',
    fault: 'undecodable',
    meaning: 'the first bytes are neither a TLS record nor an SSLv2-format ClientHello',
  },
  no_shared_version: {
    alert: 'protocol_version',
    fault: 'incompatible',
    meaning: 'the client offers no protocol version that is allowed here',
  },
  sslv2_hello_not_allowed: {
    alert: 'protocol_version',
    fault: 'incompatible',
    meaning: 'the client sent an SSLv2-format ClientHello, which is not allowed here',
  },
  no_shared_cipher_suite: {
    alert: 'handshake_failure',
    fault: 'incompatible',
    meaning: 'the client offers no cipher suite that is allowed here and works with a configured certificate',
  },
  no_shared_signature_algorithm: {
    alert: 'handshake_failure',
    fault: 'incompatible',
    meaning: 'the client accepts no signature algorithm that our certificate can produce',
  },
  no_shared_dh_group: {
    alert: 'insufficient_security',
    fault: 'incompatible',
    meaning:
      'the client offers only DHE cipher suites, and none of the groups that it names for them is supported here',
  },
  no_null_compression: {
    alert: 'illegal_parameter',
    fault: 'misbehaved',
    meaning: 'the ClientHello does not offer the null compression method',
  },
  inappropriate_fallback: {
    alert: 'inappropriate_fallback',
    fault: 'misbehaved',
    meaning: 'the client retried with an older version than both sides support (TLS_FALLBACK_SCSV)',
  },
  bad_renegotiation_info: {
    alert: 'handshake_failure',
    fault: 'misbehaved',
    meaning: 'renegotiation_info of a first handshake is not empty',
  },
  renegotiation: {
    alert: 'no_renegotiation',
    fault: 'misbehaved',
    meaning: 'the client requested renegotiation, which is never allowed',
  },
  bad_extension: {
    alert: 'illegal_parameter',
    fault: 'misbehaved',
    meaning: 'an extension holds a value that the specification forbids',
  },
  extended_master_secret_missing: {
    alert: 'handshake_failure',
    fault: 'misbehaved',
    meaning: 'the client resumes a session without the extended_master_secret it was made with',
  },
  bad_key_share: {
    alert: 'illegal_parameter',
    fault: 'misbehaved',
    meaning: "the client's Diffie-Hellman public value is not a valid element of the group",
  },
  unexpected_message: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'a message arrived at a point of the protocol where it is not allowed',
  },
  unexpected_record: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'a record of this content type is not allowed at this point',
  },
  interleaved_record: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'another record came between the fragments of one handshake message',
  },
  early_change_cipher_spec: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'ChangeCipherSpec came before the keys could exist, or twice',
  },
  malformed_change_cipher_spec: {
    alert: 'illegal_parameter',
    fault: 'undecodable',
    meaning: 'a ChangeCipherSpec message is not the single byte 1',
  },
  malformed_alert: {
    alert: 'decode_error',
    fault: 'undecodable',
    meaning: 'an alert does not have exactly two bytes',
  },
  unknown_alert_level: {
    alert: 'illegal_parameter',
    fault: 'misbehaved',
    meaning: 'an alert is neither a warning nor fatal',
  },
  empty_record: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'a record without content where content is required, or too many of them in a row',
  },
  too_many_warnings: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'more warning alerts in a row than a normal client sends',
  },
  message_too_long: {
    alert: 'illegal_parameter',
    fault: 'misbehaved',
    meaning: 'the ClientHello is too long',
  },
  too_many_fragments: {
    alert: 'unexpected_message',
    fault: 'misbehaved',
    meaning: 'a handshake message is split into more records than a normal client uses',
  },
  record_overflow: {
    alert: 'record_overflow',
    fault: 'misbehaved',
    meaning: 'a record is longer than the protocol allows',
  },
  wrong_record_version: {
    alert: 'protocol_version',
    fault: 'misbehaved',
    meaning: 'a record has another version than the negotiated one',
  },
  bad_record_mac: {
    alert: 'bad_record_mac',
    fault: 'misbehaved',
    meaning: 'a record could not be authenticated: damaged, forged, or the key exchange failed',
  },
  bad_finished: {
    alert: 'decrypt_error',
    fault: 'misbehaved',
    meaning: "the client's Finished does not match the messages of the handshake",
  },
  internal_error: {
    alert: 'internal_error',
    fault: 'local',
    meaning: 'the server had an internal error',
  },
} as const satisfies Record<string, Refusal>;

export type RefusalReason = keyof typeof REFUSALS;

/** Thrown exactly once for each refusal. Alert, fault and sentence follow from the reason. */
export class TlsError extends Error {
  readonly reason: RefusalReason;
  readonly alert: AlertName;
  readonly fault: Fault;
  /** A short detail; never secret, and bytes of the peer only sanitized. */
  readonly detail: string | undefined;

  constructor(reason: RefusalReason, detail?: string, options?: ErrorOptions) {
    const { alert, fault, meaning } = REFUSALS[reason];
    super(detail === undefined ? meaning : `${meaning} (${detail})`, options);
    this.name = 'TlsError';
    this.reason = reason;
    this.alert = alert;
    this.fault = fault;
    this.detail = detail;
  }
}

/** The registered name of an alert; `alert_N` if it has none. */
export function alertName(description: number): string {
  return ALERT_NAMES.get(description) ?? `alert_${description}`;
}

const ALERT_NAMES = new Map<number, AlertName>(
  Object.entries(AlertDescription).map(([name, number]) => [number, name as AlertName]),
);
