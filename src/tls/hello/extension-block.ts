/**
 * The extensions of a ClientHello as a map that keeps their bytes and nothing beside them: there may be thousands, and
 * a hello is kept as long as its connection. Reading one is a walk through all, which with real hellos is a short one.
 */
import { TlsError } from '../alert.js';
import { Reader } from '../wire.js';

type Extension = [type: number, body: Buffer];

export class ExtensionBlock implements ReadonlyMap<number, Buffer> {
  readonly size: number;
  readonly #bytes: Buffer;

  /**
   * @param bytes the block without its length
   * @throws TlsError malformed_message, also for a type that is there twice (RFC 5246, 7.4.1.4)
   */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    const types = new Set<number>();
    for (const type of this.keys()) {
      if (types.has(type)) throw new TlsError('malformed_message', `extension ${type} twice`);
      types.add(type);
    }
    this.size = types.size;
  }

  get(wanted: number): Buffer | undefined {
    // Not by way of `entries`, which makes a buffer for each: a hostile hello must not cost more than its length.
    const bytes = this.#bytes;
    for (let at = 0; at < bytes.length;) {
      const from = at + EXTENSION_HEADER_LENGTH;
      const end = from + bytes.readUInt16BE(at + 2);
      if (bytes.readUInt16BE(at) === wanted) return bytes.subarray(from, end);
      at = end;
    }
    return undefined;
  }

  has(type: number): boolean {
    return this.get(type) !== undefined;
  }

  *entries(): Generator<Extension, undefined> {
    const reader = new Reader(this.#bytes);
    while (reader.remaining > 0) yield [reader.u16(), reader.vector16().rest()];
    return undefined;
  }

  *keys(): Generator<number, undefined> {
    for (const [type] of this) yield type;
    return undefined;
  }

  *values(): Generator<Buffer, undefined> {
    for (const [, body] of this) yield body;
    return undefined;
  }

  [Symbol.iterator](): Generator<Extension, undefined> {
    return this.entries();
  }

  forEach(callback: (body: Buffer, type: number, block: ReadonlyMap<number, Buffer>) => void): void {
    for (const [type, body] of this) callback(body, type, this);
  }
}

/** Bytes: extension_type and the length of extension_data (RFC 5246, 7.4.1.4). */
const EXTENSION_HEADER_LENGTH = 4;
