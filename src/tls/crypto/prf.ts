/** The pseudo-random functions of TLS (RFC 2246, 5; RFC 5246, 5). */
import { createHmac } from 'node:crypto';
import type { PrfHash } from '../cipher-suites.js';
import { ShortHmac } from './short-hmac.js';

/** TLS 1.0 and 1.1: P_MD5 over one half of the secret, P_SHA-1 over the other, which overlap by a byte if it is odd. */
export function prfTls10(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const labelAndSeed = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const output = Buffer.alloc(length);
  xorExpansion(new ShortHmac('md5', secret.subarray(0, half)), labelAndSeed, output);
  xorExpansion(new ShortHmac('sha1', secret.subarray(secret.length - half)), labelAndSeed, output);
  return output;
}

/** P_hash of RFC 2246, 5, XORed into `output`. */
function xorExpansion(hmac: ShortHmac, seed: Buffer, output: Buffer): void {
  const { outputLength } = hmac;
  const block = Buffer.alloc(outputLength);
  // A(i) with the seed behind it, as one message.
  const chain = Buffer.alloc(outputLength + seed.length);
  seed.copy(chain, outputLength);
  const a = chain.subarray(0, outputLength);
  hmac.compute(seed, a, 0);
  for (let at = 0; at < output.length; at += outputLength) {
    if (at > 0) hmac.compute(a, a, 0);
    hmac.compute(chain, block, 0);
    const end = Math.min(outputLength, output.length - at);
    for (let i = 0; i < end; i += 1) output[at + i]! ^= block[i]!;
  }
  for (const secret of [chain, block]) secret.fill(0);
  hmac.wipe();
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
