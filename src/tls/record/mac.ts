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
  const header = new SequencedHeader(version);
  const ssl3 = version === ProtocolVersion.SSLv3;
  const blockLength = algorithm === 'sha384' ? 128 : 64;
  // What precedes the data in the inner hash, and the shortest padding behind it.
  const overhead =
    (ssl3 ? SSL3_HEADER_LENGTH + SSL3_KEY_AND_PAD[algorithm as 'md5' | 'sha1'] : TLS_HEADER_LENGTH) +
    (algorithm === 'sha384' ? 17 : 9);
  const short =
    !ssl3 && (algorithm === 'md5' || algorithm === 'sha1') ? new ShortHmac(algorithm, key) : undefined;
  return {
    length: MAC_LENGTHS[algorithm],
    compute(type, data, longest = data.length) {
      const fields = header.next(type, data.length);
      if (short !== undefined && longest <= SHORT) return shortMac(short, fields, data);
      return ssl3
        ? ssl3Mac(algorithm as 'md5' | 'sha1', key, fields, data)
        : createHmac(algorithm, key).update(fields).update(data).digest();
    },
    blocks: (dataLength) => Math.ceil((overhead + dataLength) / blockLength),
    burn(blocks, longest) {
      if (short !== undefined && longest <= SHORT) short.burn(blocks);
      else
        createHash(algorithm)
          .update(IDLE.subarray(0, blocks * blockLength))
          .digest();
    },
  };
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
