/** The pseudo-random functions of TLS (RFC 2246, 5; RFC 5246, 5). */
import { createHmac } from 'node:crypto';
import type { PrfHash } from '../cipher-suites.js';
import { MAX_SEED_BYTES, ShortHmac } from './short-hmac.js';

/** TLS 1.0 and 1.1: P_MD5 over one half of the secret, P_SHA-1 over the other, which overlap by a byte if it is odd. */
export function prfTls10(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const output = Buffer.alloc(length);
  const seedLength = SEED.write(label, 'latin1') + seed.copy(SEED, label.length);
  if (seedLength < label.length + seed.length)
    throw new RangeError('a seed that is longer than any of TLS 1.0');
  const whole = SEED.subarray(0, seedLength);
  xorExpansion(new ShortHmac('md5', secret.subarray(0, half)), whole, output);
  xorExpansion(new ShortHmac('sha1', secret.subarray(secret.length - half)), whole, output);
  whole.fill(0);
  return output;
}

function xorExpansion(hmac: ShortHmac, seed: Buffer, output: Buffer): void {
  hmac.xorExpansion(seed, output);
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

/** Shared by all, since nothing here is interrupted. */
const SEED = Buffer.alloc(MAX_SEED_BYTES);
