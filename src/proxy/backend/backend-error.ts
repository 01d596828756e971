/** Every reason why no backend session can be opened, for the log, `oldhello check` and the docs. */
import { STARTTLS_FAILURES } from '../../smtp/starttls-dialogue.js';
import { XCLIENT_FAILURES } from '../../smtp/xclient.js';
import { targetText, type BackendTarget } from './target.js';

export const BACKEND_FAILURES = {
  backend_unreachable: 'the backend or the network refused the connection',
  backend_no_descriptor: 'oldhello has no file descriptor left to connect to the backend with',
  backend_connect_timeout: 'the backend did not accept the connection within connect-timeout',
  backend_relay_risk:
    'identity = "none", and the backend has a loopback or private address, for which most mail servers relay',
  backend_tls_failed: "the handshake with the backend's own TLS failed",
  backend_tls_untrusted: "the backend's certificate does not match tls-ca, tls-name or tls-pin",
  backend_greeting_timeout: 'the backend accepted the connection and did not send a greeting in time',
  backend_reply_timeout: 'the backend did not reply to a command within command-timeout',
  backend_closed: 'the backend closed the connection before it was ready for mail',
  backend_refused: 'the backend refused the client, and its reply was passed on',
  backend_changed:
    'the backend no longer offers an extension that the client was offered (first-session = "learnt")',
  backend_left: 'the backend closed the connection between two commands, without 421 (RFC 5321, 3.8)',
  ...STARTTLS_FAILURES,
  ...XCLIENT_FAILURES,
} as const satisfies Record<string, string>;

export type BackendFailure = keyof typeof BACKEND_FAILURES;

const SEE_LOG = 'look at the log of the backend for this time';

/** What the administrator can do about each. */
export const BACKEND_ADVICE = {
  backend_unreachable: 'check that the backend runs, and that it listens on the address in its [[backend]]',
  backend_no_descriptor:
    'raise LimitNOFILE= in the systemd unit, or ulimit -n; descriptors_exhausted in the log has the limit',
  backend_connect_timeout:
    'check that the backend answers and that no firewall drops packets, or raise connect-timeout',
  backend_relay_risk:
    'use another identity in its [[backend]], or if the backend relays for no client by its address, set acknowledge-relay-risk = true',
  backend_tls_failed:
    'check that the backend has TLS 1.2 or later, and that tls in its [[backend]] is right ("starttls" or "implicit")',
  backend_tls_untrusted: 'set tls-ca, tls-name or tls-pin to match the certificate of the backend',
  backend_greeting_timeout:
    'find out why the backend is slow (name lookups, load), or raise greeting-timeout (after STARTTLS: handshake-timeout) in [limits]',
  backend_reply_timeout:
    'find out why the backend is slow (name lookups, load), or raise command-timeout in [limits]',
  backend_closed: SEE_LOG,
  backend_refused: SEE_LOG,
  backend_changed:
    'nothing if the backend was reconfigured; if this repeats, set first-session = "live" in its [[backend]]',
  backend_left: SEE_LOG,
  backend_no_starttls: 'give the backend a certificate, or set tls = "none" in its [[backend]]',
  backend_starttls_refused: SEE_LOG,
  backend_ehlo_refused: 'let the backend accept EHLO from oldhello, under the hostname of [server]',
  backend_reply_broken: 'check that an SMTP server listens on the address in the [[backend]]',
  backend_early_bytes:
    'update the backend; another program between oldhello and the backend may have added the bytes',
  backend_trusts_clients:
    'do not let the address of oldhello use XCLIENT and XFORWARD in the backend, or set identity = "xclient"',
  backend_no_xclient: 'let oldhello use XCLIENT in the backend (Postfix: smtpd_authorized_xclient_hosts)',
  backend_xclient_refused: SEE_LOG,
} as const satisfies Record<BackendFailure, string>;

export class BackendError extends Error {
  readonly reason: BackendFailure;
  /** The system's error code, such as "ECONNREFUSED". */
  readonly code: string | undefined;

  /** @param detail what was seen; text from the backend in it is sanitized */
  constructor(reason: BackendFailure, target: BackendTarget, detail: string, cause?: NodeJS.ErrnoException) {
    super(
      `backend ${target.backend.name} (${targetText(target)}): ${detail === '' ? BACKEND_FAILURES[reason] : detail}`,
      { cause },
    );
    this.name = 'BackendError';
    this.reason = reason;
    this.code = cause?.code;
  }
}
