/**
 * Reading and writing the presentation language of RFC 5246, 4. A Reader hands out views, never copies, and a
 * decoder that does not end with `end()` has accepted trailing bytes.
 */
import { TlsError } from './alert.js';

/** Reads one structure; every read past its end throws TlsError malformed_message. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u24(): number {
    return this.#bytes.readUIntBE(this.#take(3), 3);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Buffer {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** `opaque v<0..2^8-1>` */
  vector8(): Reader {
    return new Reader(this.bytes(this.u8()));
  }

  /** `opaque v<0..2^16-1>` */
  vector16(): Reader {
    return new Reader(this.bytes(this.u16()));
  }

  /** Everything that is left. */
  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  /** A vector of 16-bit numbers that fills the rest of this reader. */
  u16List(): number[] {
    const values: number[] = [];
    while (this.remaining > 0) values.push(this.u16());
    return values;
  }

  end(): void {
    if (this.remaining !== 0) throw new TlsError('malformed_message', `${this.remaining} bytes too many`);
  }

  #take(length: number): number {
    const from = this.#at;
    if (length > this.#bytes.length - from) {
      throw new TlsError('malformed_message', `${length - (this.#bytes.length - from)} bytes too few`);
    }
    this.#at = from + length;
    return from;
  }
}

/** Builds one structure; length prefixes are patched in when their content is complete. */
export class Writer {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity = INITIAL_CAPACITY_BYTES) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  u8(value: number): this {
    this.#room(1);
    this.#at = this.#bytes.writeUInt8(value, this.#at);
    return this;
  }

  u16(value: number): this {
    this.#room(2);
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
    return this;
  }

  u24(value: number): this {
    this.#room(3);
    this.#at = this.#bytes.writeUIntBE(value, this.#at, 3);
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  vector8(body: (writer: this) => void): this {
    return this.#vector(1, body);
  }

  vector16(body: (writer: this) => void): this {
    return this.#vector(2, body);
  }

  vector24(body: (writer: this) => void): this {
    return this.#vector(3, body);
  }

  /** What was written; a view that the next write may invalidate. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #vector(prefix: 1 | 2 | 3, body: (writer: this) => void): this {
    this.#room(prefix);
    const from = this.#at;
    this.#at += prefix;
    body(this);
    this.#bytes.writeUIntBE(this.#at - from - prefix, from, prefix);
    return this;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + length));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** In a buffer of its own: Node cuts small ones from a pool, and each would keep all of the pool's 8 KiB. */
export function lastingCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Enough for every message but Certificate, which passes its own size. */
const INITIAL_CAPACITY_BYTES = 512;
