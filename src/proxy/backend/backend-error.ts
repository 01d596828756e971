/** Every reason why a backend session cannot be had, for logs and everything that explains them. */
import type { BackendConfig } from '../../config/schema.js';
import { hostAndPort } from '../../net/endpoint.js';
import { STARTTLS_FAILURES } from '../../smtp/starttls-dialogue.js';
import { XCLIENT_FAILURES } from '../../smtp/xclient.js';

export const BACKEND_FAILURES = {
  backend_unreachable: 'the backend refused the connection, or the network did',
  backend_connect_timeout: 'no connection to the backend was made within connect-timeout',
  backend_nearby:
    'identity = "none", and the name of the backend leads to an address that mail servers relay for',
  backend_tls_failed: "the handshake with the backend's own TLS failed",
  backend_tls_untrusted: "the backend's certificate is not the one that tls-ca, tls-name or tls-pin ask for",
  backend_greeting_timeout: 'the backend took the connection and did not get ready for mail in time',
  backend_reply_timeout: 'the backend did not reply to a command within command-timeout',
  backend_closed: 'the backend closed the connection before it was ready for mail',
  ...STARTTLS_FAILURES,
  ...XCLIENT_FAILURES,
} as const satisfies Record<string, string>;

export type BackendFailure = keyof typeof BACKEND_FAILURES;

const SEE_LOG = 'look into the log of the backend at this time';

/** What the admin can do about it. */
export const BACKEND_ADVICE = {
  backend_unreachable: 'see that the backend runs and listens where its [[backend]] says',
  backend_connect_timeout:
    'see that the backend answers and that no firewall swallows packets, or raise connect-timeout',
  backend_nearby:
    'use another identity in its [[backend]], or if the backend relays for nobody by address, set acknowledge-relay-risk = true',
  backend_tls_failed:
    'see that the backend has TLS 1.2 or later, and that tls in its [[backend]] says how it begins',
  backend_tls_untrusted: 'set tls-ca, tls-name or tls-pin to what the backend has',
  backend_greeting_timeout:
    'see why the backend is slow (name lookups, load), or raise the limit of that name in [limits]',
  backend_reply_timeout:
    'see why the backend is slow (name lookups, load), or raise command-timeout in [limits]',
  backend_closed: SEE_LOG,
  backend_no_starttls: 'give the backend a certificate, or set tls = "none" in its [[backend]]',
  backend_starttls_refused: SEE_LOG,
  backend_ehlo_refused: 'let the backend accept EHLO from oldhello, under the hostname of [server]',
  backend_reply_broken: 'see that it is an SMTP server that listens where the [[backend]] says',
  backend_early_bytes: 'see who sits between here and the backend, and update the backend',
  backend_trusts_clients:
    'take the address that oldhello connects from out of what the backend lets use XCLIENT and XFORWARD, or use identity = "xclient"',
  backend_no_xclient: 'let oldhello use XCLIENT in the backend (Postfix: smtpd_authorized_xclient_hosts)',
  backend_xclient_refused: SEE_LOG,
} as const satisfies Record<BackendFailure, string>;

export class BackendError extends Error {
  readonly reason: BackendFailure;
  /** Of the system, such as "ECONNREFUSED". */
  readonly code: string | undefined;

  /** @param detail what was seen; may hold the backend's words, escaped */
  constructor(reason: BackendFailure, backend: BackendConfig, detail: string, cause?: NodeJS.ErrnoException) {
    const { host, port } = backend.address;
    super(
      `backend ${backend.name} (${hostAndPort(host, port)}): ${detail === '' ? BACKEND_FAILURES[reason] : detail}`,
      { cause },
    );
    this.name = 'BackendError';
    this.reason = reason;
    this.code = cause?.code;
  }
}
