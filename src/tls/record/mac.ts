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
  /** Takes the time of `blocks` compressions more, for data of at most `longest` bytes. */
  burn(blocks: number, longest: number): void;
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
  readonly #overhead: number;
  readonly #short: ShortHmac | undefined;

  constructor(version: ProtocolVersion, algorithm: MacAlgorithm, key: Buffer) {
    this.length = MAC_LENGTHS[algorithm];
    this.#algorithm = algorithm;
    this.#key = key;
    this.#header = new SequencedHeader(version);
    this.#ssl3 = version === ProtocolVersion.SSLv3;
    this.#blockLength = algorithm === 'sha384' ? 128 : 64;
    const before = this.#ssl3
      ? SSL3_HEADER_LENGTH + SSL3_KEY_AND_PAD[algorithm as 'md5' | 'sha1']
      : TLS_HEADER_LENGTH;
    this.#overhead = before + (algorithm === 'sha384' ? 17 : 9);
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
    return Math.ceil((this.#overhead + dataLength) / this.#blockLength);
  }

  burn(blocks: number, longest: number): void {
    if (this.#short !== undefined && longest <= SHORT) this.#short.burn(blocks);
    else
      createHash(this.#algorithm)
        .update(IDLE.subarray(0, blocks * this.#blockLength))
        .digest();
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
/** As many blocks as the difference of two paddings can be: 255 bytes. */
const IDLE = Buffer.alloc(256);
