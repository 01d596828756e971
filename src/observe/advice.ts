/**
 * What the administrator can do about each reason, in terms of the configuration. What the reason means stands in the
 * tables of tls/ and smtp/.
 */
import type { RefusalReason } from '../tls/index.js';

const BROKEN_BACKEND = 'look at the log of the backend for this time, and check which program runs there';

/** For each reason for which the SMTP gate ends a connection. */
export const GATE_ADVICE = {
  starttls_pipelined:
    'find out what the client is; a real mail sender with this defect must be changed to wait for the reply to STARTTLS',
  tls_without_starttls: 'in the client, set STARTTLS, or the port of a listener with mode = "implicit"',
  tls_despite_refusal:
    'the client must continue without TLS or close; STARTTLS was refused because of starttls_suppressed (see the log), offer-starttls = false in a [[policy]], or the reply of the backend',
  line_too_long: 'find out what the client is; mail programs stay far below this length',
  bare_newline:
    'correct the client: lines end with CR LF; bare-lf = "accept" in the [[listener]] allows LF alone',
  nul_byte: 'find out what the client is; no mail program sends this',
  pipeline_too_deep: 'find out what the client is; mail programs wait for replies from time to time',
  too_many_errors:
    'find out what the client is; commands that oldhello refuses are STARTTLS where it is not offered, XCLIENT, XFORWARD and PROXY, and where logins are not allowed also AUTH and unknown commands',
  chunk_unclear:
    'find out what the client is; mail programs use BDAT only where EHLO offers CHUNKING, and with a size after it',
  content_end_unclear:
    'correct the client: lines of mail end with CR LF; auth = "always" in the [[listener]] passes mail in clear unread',
  client_dismissed:
    'correct the client: it must wait for the replies to EHLO and DATA; the log of the backend has the details',
  starttls_not_now: 'raise the limit in [limits] if the client is welcome (docs/configuration.md)',
  reply_malformed: BROKEN_BACKEND,
  reply_too_long: BROKEN_BACKEND,
  reply_unexpected: BROKEN_BACKEND,
  reply_in_content: BROKEN_BACKEND,
  backend_gone: BROKEN_BACKEND,
  backend_unavailable:
    'read the log of the backend: it may be too busy, or it may not accept the address of oldhello',
} as const;

/** For errors that no common TLS library makes. */
const NO_REAL_CLIENT =
  'nothing, because scanners and defective programs do this; if a real sender does it, report it with its fingerprint';

/** For each reason for which the TLS engine ends a connection. */
export const REFUSAL_ADVICE = {
  malformed_message: NO_REAL_CLIENT,
  malformed_sslv2_hello: NO_REAL_CLIENT,
  short_challenge: NO_REAL_CLIENT,
  not_tls: 'find out what the client is: a scanner, or a program that is set to the wrong port',
  no_shared_version:
    'allow its version with profile = "ancient" or min-version, in [tls] or in a [[policy]] for its network; otherwise update the client',
  sslv2_hello_not_allowed: 'set sslv2-hello = true in [tls], or in a [[policy]] for its network',
  no_shared_cipher_suite:
    'allow its ciphers (rc4, triple-des and single-des in [tls]); if it has suites for RSA only, add an RSA certificate; otherwise update the client',
  no_shared_signature_algorithm:
    'add a certificate of another kind: clients without ECDSA need an RSA certificate',
  no_shared_dh_group: 'update the client, or enable ffdhe2048, elliptic curves or plain RSA in it',
  no_null_compression: NO_REAL_CLIENT,
  inappropriate_fallback: 'find out why its first attempt failed; it is in the log just before this one',
  bad_renegotiation_info: NO_REAL_CLIENT,
  renegotiation: 'switch renegotiation off in the client; mail needs none',
  bad_extension: NO_REAL_CLIENT,
  extended_master_secret_missing:
    'nothing if it is rare; if it happens again and again, switch session resumption off in the client',
  bad_key_share: NO_REAL_CLIENT,
  unexpected_message: NO_REAL_CLIENT,
  unexpected_record: NO_REAL_CLIENT,
  interleaved_record: NO_REAL_CLIENT,
  early_change_cipher_spec:
    'find out what the client is: this is the EarlyCCS attack of 2014, which vulnerability scanners send too',
  malformed_change_cipher_spec: NO_REAL_CLIENT,
  malformed_alert: NO_REAL_CLIENT,
  unknown_alert_level: NO_REAL_CLIENT,
  empty_record: NO_REAL_CLIENT,
  too_many_warnings: NO_REAL_CLIENT,
  message_too_long: NO_REAL_CLIENT,
  too_many_fragments: NO_REAL_CLIENT,
  record_overflow: NO_REAL_CLIENT,
  wrong_record_version: NO_REAL_CLIENT,
  bad_record_mac:
    'look for a device on the way that changes data; if it is always this client, try profile = "ancient" for it, which tolerates more defects of old libraries',
  bad_finished:
    'look for a device on the way that changes data; if it is always this client, report it with its fingerprint',
  internal_error: 'look for an internal_error event at the same time, and report both',
} as const satisfies Record<RefusalReason, string>;
