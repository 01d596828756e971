/** The MAC of a record: HMAC in TLS (RFC 5246, 6.2.3.1), its predecessor in SSLv3 (RFC 6101, 5.2.3.1). */
import { createHash, createHmac } from 'node:crypto';
import { MAC_LENGTHS, type MacAlgorithm } from '../cipher-suites.js';
import { ProtocolVersion, type ContentType } from '../code-points.js';
import { ssl3Mac } from '../crypto/ssl3.js';
import { SequencedHeader } from './sequence.js';

/** One direction's MAC; counts records as it computes. */
export interface RecordMac {
  /** Bytes. */
  readonly length: number;
  /** Over the next record, whose content, or ciphertext in encrypt-then-MAC, is `data`. */
  compute(type: ContentType, data: Uint8Array): Buffer;
  /** Compressions it takes for `dataLength` bytes. */
  blocks(dataLength: number): number;
  /** Takes the time of `blocks` compressions more. */
  burn(blocks: number): void;
}

export function recordMac(version: ProtocolVersion, algorithm: MacAlgorithm, key: Buffer): RecordMac {
  const header = new SequencedHeader(version);
  const ssl3 = version === ProtocolVersion.SSLv3;
  const blockLength = algorithm === 'sha384' ? 128 : 64;
  // What precedes the data in the inner hash, and the shortest padding behind it.
  const overhead =
    (ssl3 ? SSL3_HEADER_LENGTH + SSL3_KEY_AND_PAD[algorithm as 'md5' | 'sha1'] : TLS_HEADER_LENGTH) +
    (algorithm === 'sha384' ? 17 : 9);
  return {
    length: MAC_LENGTHS[algorithm],
    compute(type, data) {
      const fields = header.next(type, data.length);
      return ssl3
        ? ssl3Mac(algorithm as 'md5' | 'sha1', key, fields, data)
        : createHmac(algorithm, key).update(fields).update(data).digest();
    },
    blocks: (dataLength) => Math.ceil((overhead + dataLength) / blockLength),
    burn: (blocks) =>
      void createHash(algorithm)
        .update(IDLE.subarray(0, blocks * blockLength))
        .digest(),
  };
}

const TLS_HEADER_LENGTH = 13;
/** Without the version (RFC 6101, 5.2.3.1). */
const SSL3_HEADER_LENGTH = 11;
const SSL3_KEY_AND_PAD = { md5: 64, sha1: 60 } as const;
/** As much as the difference of two paddings can be: 256 bytes and some, in blocks of 128. */
const IDLE = Buffer.alloc(5 * 128);
