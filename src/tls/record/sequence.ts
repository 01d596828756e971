/** The 64-bit sequence number of one direction, and the header that MAC and AEAD authenticate with it. */
import type { ContentType, ProtocolVersion } from '../code-points.js';

export class SequencedHeader {
  readonly #bytes = Buffer.alloc(SEQUENCED_HEADER_LENGTH);
  #next = 0;

  constructor(version: ProtocolVersion) {
    this.#bytes.writeUInt16BE(version, 9);
  }

  /** seq_num, type, version, length of the next record (RFC 5246, 6.2.3.1); overwritten by the next call. */
  next(type: ContentType, length: number): Buffer {
    const bytes = this.#bytes;
    // Of the 64 bits no connection reaches the upper 16; one that did would get a RangeError, never a number twice.
    bytes.writeUIntBE(this.#next, 2, 6);
    this.#next += 1;
    bytes[8] = type;
    bytes.writeUInt16BE(length, 11);
    return bytes;
  }
}

/** Bytes. */
export const SEQUENCED_HEADER_LENGTH = 13;
/** Bytes: seq_num alone. */
export const SEQUENCE_LENGTH = 8;
