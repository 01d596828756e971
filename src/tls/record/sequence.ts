/** The 64-bit sequence number of one direction, and the header that MAC and AEAD authenticate with it. */
import type { ContentType, ProtocolVersion } from '../code-points.js';

export class SequencedHeader {
  readonly #bytes = Buffer.alloc(SEQUENCED_HEADER_LENGTH);
  #high = 0;
  #low = 0;

  constructor(version: ProtocolVersion) {
    this.#bytes.writeUInt16BE(version, 9);
  }

  /** seq_num, type, version, length of the next record (RFC 5246, 6.2.3.1); overwritten by the next call. */
  next(type: ContentType, length: number): Buffer {
    const bytes = this.#bytes;
    bytes.writeUInt32BE(this.#high, 0);
    bytes.writeUInt32BE(this.#low, 4);
    bytes[8] = type;
    bytes.writeUInt16BE(length, 11);
    this.#low = (this.#low + 1) >>> 0;
    if (this.#low === 0) this.#high += 1;
    return bytes;
  }
}

/** Bytes. */
export const SEQUENCED_HEADER_LENGTH = 13;
/** Bytes: seq_num alone. */
export const SEQUENCE_LENGTH = 8;
