/** What SSLv3 derives and authenticates in its own way (RFC 6101). */
import { createHash, type Hash } from 'node:crypto';

/** RFC 6101, 6.1 and 6.2.2: MD5 over the secret and SHA-1 of 'A', then 'BB', then 'CCC' … */
export function ssl3Expand(secret: Buffer, seed: Buffer, length: number): Buffer {
  const output = Buffer.alloc(length);
  for (let round = 1, at = 0; at < length; round += 1) {
    const salt = Buffer.alloc(round, LETTER_A + round - 1);
    const inner = createHash('sha1').update(salt).update(secret).update(seed).digest();
    at += createHash('md5').update(secret).update(inner).digest().copy(output, at);
  }
  return output;
}

/** RFC 6101, 5.6.9: 36 bytes. `md5` and `sha1` have hashed all handshake messages so far, and are used up. */
export function ssl3VerifyData(
  masterSecret: Buffer,
  md5: Hash,
  sha1: Hash,
  sender: 'client' | 'server',
): Buffer {
  const label = SENDERS[sender];
  const finish = (hash: Hash, algorithm: 'md5' | 'sha1'): Buffer => {
    const pad = PAD_LENGTHS[algorithm];
    const inner = hash.update(label).update(masterSecret).update(PAD_1.subarray(0, pad)).digest();
    return createHash(algorithm).update(masterSecret).update(PAD_2.subarray(0, pad)).update(inner).digest();
  };
  return Buffer.concat([finish(md5, 'md5'), finish(sha1, 'sha1')]);
}

/**
 * RFC 6101, 5.2.3.1, which leaves the version out.
 * @param header seq_num, type, version, length of the record
 */
export function ssl3Mac(algorithm: 'md5' | 'sha1', secret: Buffer, header: Buffer, data: Uint8Array): Buffer {
  const pad = PAD_LENGTHS[algorithm];
  const inner = createHash(algorithm)
    .update(secret)
    .update(PAD_1.subarray(0, pad))
    .update(header.subarray(0, 9))
    .update(header.subarray(11, 13))
    .update(data)
    .digest();
  return createHash(algorithm).update(secret).update(PAD_2.subarray(0, pad)).update(inner).digest();
}

const LETTER_A = 0x41;
const SENDERS = { client: Buffer.from('CLNT', 'latin1'), server: Buffer.from('SRVR', 'latin1') };
/** Bytes (RFC 6101, 5.2.3.1). */
const PAD_LENGTHS = { md5: 48, sha1: 40 } as const;
const PAD_1 = Buffer.alloc(PAD_LENGTHS.md5, 0x36);
const PAD_2 = Buffer.alloc(PAD_LENGTHS.md5, 0x5c);
