/** The MAC of a record: HMAC in TLS (RFC 5246, 6.2.3.1), its predecessor in SSLv3 (RFC 6101, 5.2.3.1). */
import { createHash, createHmac } from 'node:crypto';
import { MAC_LENGTHS, type MacAlgorithm } from '../cipher-suites.js';
import { ProtocolVersion, type ContentType } from '../code-points.js';
import { ShortHmac } from '../crypto/short-hmac.js';
import { ssl3Mac } from '../crypto/ssl3.js';
import { SequencedHeader } from './sequence.js';

/** One direction's MAC; counts records as it computes. */
export interface RecordMac {
  /** Bytes. */
  readonly length: number;
  /**
   * Over the next record, whose content, or ciphertext in encrypt-then-MAC, is `data`. Where its length is secret,
   * `longest` is what it can be at most, and all that decides how the work is done.
   */
  compute(type: ContentType, data: Uint8Array, longest?: number): Buffer;
  /** Compressions it takes for `dataLength` bytes. */
  blocks(dataLength: number): number;
  /** Takes as much more time as `compute` would have taken for `longest` bytes than for `length`. */
  burn(length: number, longest: number): void;
}

export function recordMac(version: ProtocolVersion, algorithm: MacAlgorithm, key: Buffer): RecordMac {
  return new KeyedMac(version, algorithm, key);
}

class KeyedMac implements RecordMac {
  readonly length: number;
  readonly #algorithm: MacAlgorithm;
  readonly #key: Buffer;
  readonly #header: SequencedHeader;
  readonly #ssl3: boolean;
  readonly #blockLength: number;
  /** Bytes: what precedes the data in the inner hash, and the shortest padding behind it. */
  readonly #before: number;
  readonly #behind: number;
  readonly #short: ShortHmac | undefined;

  constructor(version: ProtocolVersion, algorithm: MacAlgorithm, key: Buffer) {
    this.length = MAC_LENGTHS[algorithm];
    this.#algorithm = algorithm;
    this.#key = key;
    this.#header = new SequencedHeader(version);
    this.#ssl3 = version === ProtocolVersion.SSLv3;
    this.#blockLength = algorithm === 'sha384' ? 128 : 64;
    this.#before = this.#ssl3
      ? SSL3_HEADER_LENGTH + SSL3_KEY_AND_PAD[algorithm as 'md5' | 'sha1']
      : TLS_HEADER_LENGTH;
    this.#behind = algorithm === 'sha384' ? 17 : 9;
    this.#short =
      !this.#ssl3 && (algorithm === 'md5' || algorithm === 'sha1')
        ? new ShortHmac(algorithm, key)
        : undefined;
  }

  compute(type: ContentType, data: Uint8Array, longest = data.length): Buffer {
    const fields = this.#header.next(type, data.length);
    if (this.#short !== undefined && longest <= SHORT) return shortMac(this.#short, fields, data);
    return this.#ssl3
      ? ssl3Mac(this.#algorithm as 'md5' | 'sha1', this.#key, fields, data)
      : createHmac(this.#algorithm, this.#key).update(fields).update(data).digest();
  }

  blocks(dataLength: number): number {
    return Math.ceil((this.#before + dataLength + this.#behind) / this.#blockLength);
  }

  /** Those that are compressed as they come; one or two follow at the end. */
  #wholeBlocks(dataLength: number): number {
    return Math.floor((this.#before + dataLength) / this.#blockLength);
  }

  burn(length: number, longest: number): void {
    if (this.#short !== undefined && longest <= SHORT) {
      this.#short.burn(this.blocks(longest) - this.blocks(length));
      return;
    }
    // OpenSSL takes some 25 ns longer for an end of two blocks than for one more in a row: the two ends have three.
    const atEnd = this.blocks(length) - this.#wholeBlocks(length);
    const whole = this.#wholeBlocks(longest) - this.#wholeBlocks(length);
    const idle = whole * this.#blockLength + (2 - atEnd) * (this.#blockLength - this.#behind + 1);
    createHash(this.#algorithm).update(IDLE.subarray(0, idle)).digest();
  }
}

function shortMac(hmac: ShortHmac, fields: Buffer, data: Uint8Array): Buffer {
  const length = TLS_HEADER_LENGTH + data.length;
  MESSAGE.set(fields);
  MESSAGE.set(data, TLS_HEADER_LENGTH);
  const mac = Buffer.allocUnsafe(hmac.outputLength);
  hmac.compute(MESSAGE.subarray(0, length), mac, 0);
  MESSAGE.fill(0);
  return mac;
}

const TLS_HEADER_LENGTH = 13;
/** Without the version (RFC 6101, 5.2.3.1). */
const SSL3_HEADER_LENGTH = 11;
const SSL3_KEY_AND_PAD = { md5: 64, sha1: 60 } as const;
/** Bytes of data up to which our own HMAC is faster than node:crypto's, which takes 2 us for an empty record. */
const SHORT = 256;
/** Shared by all, since nothing here is interrupted. */
const MESSAGE = Buffer.alloc(TLS_HEADER_LENGTH + SHORT);
/** As many whole blocks as the difference of two paddings, 255 bytes, can be, and the longest end. */
const IDLE = Buffer.alloc(256 + 112);
