/** Every reason why a backend session cannot be had, for logs and everything that explains them. */
import type { BackendConfig } from '../config/schema.js';
import { STARTTLS_FAILURES } from '../smtp/starttls-dialogue.js';
import { XCLIENT_FAILURES } from '../smtp/xclient.js';

export const BACKEND_FAILURES = {
  backend_unreachable: 'the backend refused the connection, or the network did',
  backend_connect_timeout: 'no connection to the backend was made within connect-timeout',
  backend_tls_failed: "the handshake with the backend's own TLS failed",
  backend_tls_untrusted: "the backend's certificate is not the one that tls-ca, tls-name or tls-pin ask for",
  ...STARTTLS_FAILURES,
  ...XCLIENT_FAILURES,
} as const satisfies Record<string, string>;

export type BackendFailure = keyof typeof BACKEND_FAILURES;

export class BackendError extends Error {
  readonly reason: BackendFailure;

  /** @param detail what was seen; may hold the backend's words, escaped */
  constructor(reason: BackendFailure, backend: BackendConfig, detail: string) {
    const where = `backend ${backend.name} (${backend.address.host} port ${backend.address.port})`;
    super(`${where}: ${detail === '' ? BACKEND_FAILURES[reason] : detail}`);
    this.name = 'BackendError';
    this.reason = reason;
  }
}
