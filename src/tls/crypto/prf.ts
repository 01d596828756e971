/** The pseudo-random functions of TLS (RFC 2246, 5; RFC 5246, 5). */
import { createHmac } from 'node:crypto';
import type { PrfHash } from '../cipher-suites.js';

/** TLS 1.0 and 1.1: P_MD5 over one half of the secret, P_SHA-1 over the other, which overlap by a byte if it is odd. */
export function prfTls10(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const labelAndSeed = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const output = expand('md5', secret.subarray(0, half), labelAndSeed, length);
  const other = expand('sha1', secret.subarray(secret.length - half), labelAndSeed, length);
  for (let at = 0; at < length; at += 1) output[at]! ^= other[at]!;
  return output;
}

export function prfTls12(hash: PrfHash, secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  return expand(hash, secret, Buffer.concat([Buffer.from(label, 'latin1'), seed]), length);
}

/** P_hash of RFC 5246, 5. */
function expand(hash: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  const output = Buffer.alloc(length);
  let a: Buffer = seed;
  for (let at = 0; at < length;) {
    a = createHmac(hash, secret).update(a).digest();
    at += createHmac(hash, secret).update(a).update(seed).digest().copy(output, at);
  }
  return output;
}
