/** The MAC of a record: HMAC in TLS (RFC 5246, 6.2.3.1), its predecessor in SSLv3 (RFC 6101, 5.2.3.1). */
import { createHash, createHmac } from 'node:crypto';
import { MAC_LENGTHS, type MacAlgorithm } from '../cipher-suites.js';
import { ProtocolVersion, type ContentType } from '../code-points.js';
import { ssl3Mac } from '../crypto/ssl3.js';
import { SequencedHeader } from './sequence.js';

/** One direction's MAC; counts records as it computes. */
export class RecordMac {
  /** Bytes. */
  readonly length: number;
  readonly #algorithm: MacAlgorithm;
  readonly #key: Buffer;
  readonly #header: SequencedHeader;
  readonly #ssl3: boolean;
  readonly #blockLength: number;
  /** Bytes: what precedes the data in the inner hash, and the shortest padding behind it. */
  readonly #before: number;
  readonly #behind: number;

  constructor(version: ProtocolVersion, algorithm: MacAlgorithm, key: Buffer) {
    this.length = MAC_LENGTHS[algorithm];
    this.#algorithm = algorithm;
    this.#key = key;
    this.#header = new SequencedHeader(version);
    this.#ssl3 = version === ProtocolVersion.SSLv3;
    this.#blockLength = algorithm === 'sha384' ? 128 : 64;
    this.#before = this.#ssl3
      ? SSL3_HEADER_LENGTH + SSL3_KEY_AND_PAD_LENGTHS[algorithm as 'md5' | 'sha1']
      : TLS_HEADER_LENGTH;
    this.#behind = algorithm === 'sha384' ? 17 : 9;
  }

  /** Over the next record, whose content, or ciphertext in encrypt-then-MAC, is `data`. */
  compute(type: ContentType, data: Uint8Array): Buffer {
    const fields = this.#header.next(type, data.length);
    return this.#ssl3
      ? ssl3Mac(this.#algorithm as 'md5' | 'sha1', this.#key, fields, data)
      : createHmac(this.#algorithm, this.#key).update(fields).update(data).digest();
  }

  /** Compressions that `compute` takes for `dataLength` bytes. */
  blocks(dataLength: number): number {
    return Math.ceil((this.#before + dataLength + this.#behind) / this.#blockLength);
  }

  /**
   * Makes as many compressions as `compute` would have made more for `longest` bytes than for `length`: `length` is
   * secret, `longest` public (Lucky 13, 6).
   */
  dummyCompressions(length: number, longest: number): void {
    // OpenSSL takes some 25 ns longer for an end of two blocks than for one more in a row: the two ends have three.
    const atEnd = this.blocks(length) - this.#wholeBlocks(length);
    const whole = this.#wholeBlocks(longest) - this.#wholeBlocks(length);
    const bytes = whole * this.#blockLength + (2 - atEnd) * (this.#blockLength - this.#behind + 1);
    createHash(this.#algorithm).update(ZEROS.subarray(0, bytes)).digest();
  }

  /** Those that are compressed as they come; one or two follow at the end. */
  #wholeBlocks(dataLength: number): number {
    return Math.floor((this.#before + dataLength) / this.#blockLength);
  }
}

const TLS_HEADER_LENGTH = 13;
/** Without the version (RFC 6101, 5.2.3.1). */
const SSL3_HEADER_LENGTH = 11;
const SSL3_KEY_AND_PAD_LENGTHS = { md5: 64, sha1: 60 } as const;
/** As many whole blocks as the difference of two paddings, 255 bytes, can be, and the longest end. */
const ZEROS = Buffer.alloc(256 + 112);
