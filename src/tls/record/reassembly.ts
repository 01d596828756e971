/**
 * Handshake messages from record fragments: several messages may share a record and one may span many (RFC 5246, 6.2.1).
 * Messages are copies, so they outlive the records they came in.
 */
import { TlsError } from '../alert.js';
import { HANDSHAKE_HEADER_LENGTH, HandshakeType } from '../code-points.js';
import { lastingCopy } from '../wire.js';

export interface HandshakeMessage {
  readonly type: HandshakeType;
  /** With its 4-byte header, as the transcript hashes it. */
  readonly message: Buffer;
  readonly body: Buffer;
}

export class Reassembly {
  #pending: Buffer = EMPTY;
  #length = 0;
  /** Records that hold a piece of the message that has begun. */
  #fragments = 0;

  /**
   * True while a message has begun and not ended. No other record may come between: RFC 5246, 6.2.1 would allow it, but
   * no client was seen to do it, and this way there is less state to get wrong.
   */
  get partial(): boolean {
    return this.#length > 0;
  }

  /** @throws TlsError too_many_fragments */
  push(fragment: Buffer): void {
    this.#fragments += 1;
    if (this.#fragments > MAX_FRAGMENTS) throw new TlsError('too_many_fragments');
    const length = this.#length + fragment.length;
    if (length > this.#pending.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#pending.length));
      this.#pending.copy(grown, 0, 0, this.#length);
      this.#pending = grown;
    }
    fragment.copy(this.#pending, this.#length);
    this.#length = length;
  }

  /**
   * The next whole message, if there is one.
   * @param expected the type that may come here, where any other is refused
   * @throws TlsError unexpected_message, message_too_long, malformed_message, as soon as the header shows it
   */
  next(expected: HandshakeType | undefined): HandshakeMessage | undefined {
    if (this.#length < HANDSHAKE_HEADER_LENGTH) return undefined;
    const type = this.#pending[0]!;
    if (type !== expected) throw new TlsError('unexpected_message', `message type ${type}`);
    const length = this.#pending.readUIntBE(1, 3);
    if (length > maxLength(type)) throw tooLong(type, length);
    const total = HANDSHAKE_HEADER_LENGTH + length;
    if (this.#length < total) return undefined;
    const message = this.#take(total);
    return { type, message, body: message.subarray(HANDSHAKE_HEADER_LENGTH) };
  }

  /** The buffer itself where it holds one message only: that is the usual case, and saves a copy. */
  #take(total: number): Buffer {
    this.#fragments = 0;
    const pending = this.#pending;
    if (total === this.#length) {
      this.#pending = EMPTY;
      this.#length = 0;
      return pending.subarray(0, total);
    }
    const message = lastingCopy(pending.subarray(0, total));
    pending.copyWithin(0, total, this.#length);
    this.#length -= total;
    return message;
  }
}

/** A hello of any length may be meant well; every other message has the length that its kind gives it. */
function tooLong(type: HandshakeType, length: number): TlsError {
  const reason = type === HandshakeType.client_hello ? 'message_too_long' : 'malformed_message';
  return new TlsError(reason, `${length} bytes`);
}

/** The most bytes of body that a message of a client can have; its decoder checks the exact length. */
function maxLength(type: HandshakeType): number {
  switch (type) {
    case HandshakeType.client_key_exchange:
      return MAX_KEY_EXCHANGE_LENGTH;
    case HandshakeType.finished:
      return MAX_FINISHED_LENGTH;
    default:
      return MAX_HELLO_LENGTH;
  }
}

const EMPTY = Buffer.alloc(0);

/** Bytes: what BoringSSL accepts too, and thirty times the longest hello captured. */
const MAX_HELLO_LENGTH = 16_384;
/** Bytes: a ciphertext of RSA with 16384 bits, the longest keys there are, and its length. */
const MAX_KEY_EXCHANGE_LENGTH = 2050;
/** Bytes: SSLv3 has 36, TLS 12. */
const MAX_FINISHED_LENGTH = 64;
/**
 * Records one message may be spread over: every message that real clients send, in records of one byte each, which
 * RFC 5246, 6.2.1 allows; a hello of full length still fits where no piece is below four bytes.
 */
const MAX_FRAGMENTS = 4096;
