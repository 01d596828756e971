/**
 * Handshake messages from record fragments: several messages may share a record and one may span many (RFC 5246, 6.2.1).
 * Messages are copies, so they outlive the records they came in.
 */
import { TlsError } from '../alert.js';
import { HANDSHAKE_HEADER_LENGTH } from '../hello/client-hello.js';

export interface HandshakeMessage {
  /** Not yet known to be a HandshakeType. */
  readonly type: number;
  /** With its 4-byte header, as the transcript hashes it. */
  readonly message: Buffer;
  readonly body: Buffer;
}

export class Reassembly {
  #pending: Buffer = EMPTY;
  #length = 0;

  /** True while a message has begun and not ended: no other record may come between (RFC 5246, 6.2.1). */
  get partial(): boolean {
    return this.#length > 0;
  }

  push(fragment: Buffer): void {
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
   * @throws TlsError message_too_long, as soon as the header says so
   */
  next(): HandshakeMessage | undefined {
    if (this.#length < HANDSHAKE_HEADER_LENGTH) return undefined;
    const total = HANDSHAKE_HEADER_LENGTH + this.#pending.readUIntBE(1, 3);
    if (total > MAX_MESSAGE_LENGTH) throw new TlsError('message_too_long', `${total} bytes`);
    if (this.#length < total) return undefined;
    const message = Buffer.alloc(total);
    this.#pending.copy(message, 0, 0, total);
    this.#pending.copyWithin(0, total, this.#length);
    this.#length -= total;
    if (this.#length === 0) this.#pending = EMPTY;
    return { type: message[0]!, message, body: message.subarray(HANDSHAKE_HEADER_LENGTH) };
  }
}

const EMPTY = Buffer.alloc(0);

/**
 * Bytes, header included. The longest message a client of ours may send is a ClientHello; 16 KiB is what BoringSSL
 * accepts too, and forty times the longest hello ever captured.
 */
export const MAX_MESSAGE_LENGTH = 16_384 + HANDSHAKE_HEADER_LENGTH;
