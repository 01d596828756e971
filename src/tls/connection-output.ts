/** What a connection gives its host: bytes, plaintext, questions, and how it ended. */
import type { AlertName, TlsError } from './alert.js';
import type { NotTls } from './hello/acceptor.js';
import type { Established } from './handshake/established.js';
import type { HandshakeOutput } from './handshake/io.js';
import type { Wait } from './handshake/wait.js';

export type ConnectionState = 'awaiting_hello' | 'handshaking' | 'established' | 'ended';

/** Where a connection's effects go. Calls come in order and only while one of the connection's methods runs. */
export interface ConnectionOutput extends HandshakeOutput {
  /** Application data; valid until the next call of `receive`. */
  deliver(plaintext: Buffer): void;
  established(established: Established): void;
  /** RFC 5246, 7.2.2: after a fatal alert the session must not be resumed. */
  forgetSession(id: Buffer): void;
  /** The last call, also after `abandon`; `wait` is what the handshake waited for, undefined after the handshake. */
  ended(outcome: Outcome, wait: Wait | undefined): void;
}

/** How a connection ended. `finalBytes` are what is left to transmit before closing the transport. */
export type Outcome = { readonly finalBytes: Buffer } & (
  | { readonly kind: 'closed'; readonly by: 'client' | 'server' }
  /** The host has called `abandon`. */
  | { readonly kind: 'abandoned' }
  /** A 64-bit block cipher has protected as much as is safe. */
  | { readonly kind: 'data_limit' }
  /** `alert` is the one that was sent: SSLv3 has fewer than TLS (RFC 6101, 5.4). */
  | { readonly kind: 'refused'; readonly error: TlsError; readonly alert: AlertName }
  | { readonly kind: 'peer_alert'; readonly alert: string }
  /** What came is not TLS, or is SSL 2.0 itself; a TLS alert would mean nothing to the peer. */
  | { readonly kind: 'not_tls'; readonly firstBytes: NotTls }
);
