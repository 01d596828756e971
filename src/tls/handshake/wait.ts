/**
 * How the handshake waits. It is a generator: `yield` hands out a Wait, and `next()` is called when something has come.
 * `next()` carries nothing back; HandshakeIo looks itself whether what it waits for is there. A step must be called with
 * `yield*`; called without, it would do nothing at all, which the linter refuses.
 */
import { HandshakeType } from '../code-points.js';
import type { Operation } from '../server-parameters.js';

export type Wait =
  | { readonly for: 'message'; readonly type: HandshakeType }
  | { readonly for: 'change_cipher_spec' }
  | { readonly for: 'operation'; readonly operation: Operation };

export type Step<T> = Generator<Wait, T, void>;

/** @returns the message or record that is due, in the RFC's name; `private_key` or `session` for an operation */
export function describeWait(wait: Wait | undefined): string {
  switch (wait?.for) {
    case 'message':
      return MESSAGE_NAMES.get(wait.type)!;
    case 'operation':
      return wait.operation.kind === 'find_session' ? 'session' : 'private_key';
    case 'change_cipher_spec':
      return 'change_cipher_spec';
    case undefined:
      return 'close';
  }
}

const MESSAGE_NAMES = new Map<HandshakeType, string>(
  Object.entries(HandshakeType).map(([name, type]) => [type, name]),
);
