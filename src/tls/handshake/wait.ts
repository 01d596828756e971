/**
 * How the handshake waits. It is a generator, driven like this: `yield` means "I cannot go on until …" and carries the
 * Wait; `next()` carries nothing back, the helpers below look for themselves whether what they wait for is there. A
 * helper must be called with `yield*`; called without, it would do nothing at all, which the linter refuses.
 */
import { TlsError } from '../alert.js';
import { HandshakeType } from '../code-points.js';
import type {
  FindSessionOperation,
  Operation,
  OperationResult,
  PrivateKeyOperation,
} from '../server-parameters.js';
import type { Session } from '../session/session.js';
import type { HandshakeIo } from './io.js';

export type Wait =
  | { readonly for: 'message'; readonly type: HandshakeType }
  | { readonly for: 'change_cipher_spec' }
  | { readonly for: 'operation'; readonly operation: Operation };

/** @returns the message or record that is due, in the RFC's name; `private_key` or `session` for an operation */
export function describeWait(wait: Wait | undefined): string {
  switch (wait?.for) {
    case 'message':
      return handshakeTypeName(wait.type);
    case 'operation':
      return wait.operation.kind === 'find_session' ? 'session' : 'private_key';
    case 'change_cipher_spec':
      return 'change_cipher_spec';
    case undefined:
      return 'close';
  }
}

function handshakeTypeName(type: HandshakeType): string {
  const entry = Object.entries(HandshakeType).find(([, value]) => value === type);
  return entry?.[0] ?? String(type);
}

export type Step<T> = Generator<Wait, T, void>;

/** The body of the next handshake message, which the connection has checked to be of this type. */
export function* receive(io: HandshakeIo, type: HandshakeType): Step<Buffer> {
  let message = io.inbox.takeMessage();
  while (message === undefined) {
    yield { for: 'message', type };
    message = io.inbox.takeMessage();
  }
  io.transcript.add(message.message);
  return message.body;
}

export function* receiveChangeCipherSpec(io: HandshakeIo): Step<void> {
  while (!io.inbox.takeChangeCipherSpec()) yield { for: 'change_cipher_spec' };
}

/** A signature or a raw RSA decryption, done by whoever holds the key. */
export function* privateKey(io: HandshakeIo, operation: PrivateKeyOperation): Step<Buffer> {
  const result = yield* operate(io, operation);
  if (!Buffer.isBuffer(result)) {
    throw new TlsError('internal_error', 'the private key did not do its part', { cause: result });
  }
  return result;
}

/** A session by its id; a store that fails is a store that has nothing. */
export function* lookUpSession(io: HandshakeIo, operation: FindSessionOperation): Step<Session | undefined> {
  const result = yield* operate(io, operation);
  return result instanceof Error || Buffer.isBuffer(result) ? undefined : result;
}

function* operate(io: HandshakeIo, operation: Operation): Step<OperationResult> {
  io.operate(operation);
  for (;;) {
    const completed = io.inbox.takeCompletion();
    if (completed !== undefined) return completed.result;
    yield { for: 'operation', operation };
  }
}
