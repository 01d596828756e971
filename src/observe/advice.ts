/** What an administrator can do about each reason, in terms of the configuration. The tables of reasons say what happened. */
import type { RefusalReason } from '../tls/index.js';

const BROKEN_BACKEND = 'look into the log of the backend at this time, and check which program runs there';

/** For each reason for which the SMTP gate ends a connection. */
export const GATE_ADVICE = {
  starttls_pipelined:
    'see what the client is; a sender that is merely broken must wait for the reply to STARTTLS',
  tls_without_starttls: 'set the client to STARTTLS, or to the port of a listener with mode = "implicit"',
  tls_despite_refusal:
    'the client must go on in clear or close; see in the log why STARTTLS was refused: starttls_suppressed, offer-starttls = false in a [[policy]], or the reply of the backend',
  line_too_long: 'see what the client is; mail programs stay far below this length',
  bare_newline:
    'correct the client: lines end with CR LF; bare-lf = "accept" in the [[listener]] allows LF alone',
  nul_byte: 'see what the client is; no mail program sends this',
  pipeline_too_deep: 'see what the client is; mail programs wait for replies now and then',
  chunk_unclear:
    'see what the client is; mail programs use BDAT only where EHLO offers CHUNKING, with a number behind it',
  content_end_unclear:
    'correct the client: lines of mail end with CR LF; auth = "always" in the [[listener]] passes mail in clear unread',
  client_dismissed:
    'correct the client: it must wait for the replies to EHLO and DATA; the log of the backend has the details',
  starttls_not_now: 'see docs/configuration.md, [limits]',
  reply_malformed: BROKEN_BACKEND,
  reply_too_long: BROKEN_BACKEND,
  reply_unexpected: BROKEN_BACKEND,
  reply_in_content: BROKEN_BACKEND,
  backend_gone: BROKEN_BACKEND,
  backend_unavailable:
    "read the reply in the log of the backend: it may be too busy, or not trust oldhello's address",
} as const;

/** What to do about a client that no honest library makes. */
const NO_REAL_CLIENT =
  'nothing; probers and broken programs do this, and if a real sender does, report it with its fingerprint';

/** For each reason for which the TLS engine ends a connection. */
export const REFUSAL_ADVICE = {
  malformed_message: NO_REAL_CLIENT,
  malformed_sslv2_hello: NO_REAL_CLIENT,
  short_challenge: NO_REAL_CLIENT,
  not_tls: 'see what the client is: a scanner, or a program that speaks something else to this port',
  no_shared_version:
    'allow what it offers with profile = "ancient" or min-version in [tls], or for its network in a [[policy]]; else it needs newer software',
  sslv2_hello_not_allowed: 'set sslv2-hello = true in [tls], or for its network in a [[policy]]',
  no_shared_cipher_suite:
    'allow what it offers (rc4, triple-des and single-des in [tls]), give it an RSA certificate if it has suites for RSA only, or look for newer software for it',
  no_shared_signature_algorithm:
    'add a certificate of another kind: clients that know no ECDSA need an RSA one',
  no_shared_dh_group:
    'look for newer software for it, or let it offer ffdhe2048, elliptic curves or plain RSA as well',
  no_null_compression: NO_REAL_CLIENT,
  inappropriate_fallback: 'find out why its first attempt failed; the log has it a moment before',
  bad_renegotiation_info: NO_REAL_CLIENT,
  renegotiation: 'switch renegotiation off in the client; mail needs none',
  bad_extension: NO_REAL_CLIENT,
  extended_master_secret_missing:
    'let it try again; if it keeps happening, switch session resumption off in the client',
  bad_key_share: NO_REAL_CLIENT,
  unexpected_message: NO_REAL_CLIENT,
  unexpected_record: NO_REAL_CLIENT,
  interleaved_record: NO_REAL_CLIENT,
  early_change_cipher_spec:
    'see who it is: this is the shape of an attack of 2014 (EarlyCCS), and what vulnerability scanners send',
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
    'look for something between that changes bytes; if it is always this client, its profile "ancient" tolerates more of the bugs of old libraries',
  bad_finished:
    'look for something between that changes bytes; if it is always this client, report it with its fingerprint',
  internal_error: 'look for an internal_error event beside it, and report both',
} as const satisfies Record<RefusalReason, string>;
