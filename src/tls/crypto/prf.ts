/** The pseudo-random functions of TLS (RFC 2246, 5; RFC 5246, 5). */
import { createHmac } from 'node:crypto';
import type { PrfHash } from '../cipher-suites.js';
import { ShortHmac } from './short-hmac.js';

/** TLS 1.0 and 1.1: P_MD5 over one half of the secret, P_SHA-1 over the other, which overlap by a byte if it is odd. */
export function prfTls10(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const output = Buffer.alloc(length);
  const seedLength = CHAIN.write(label, SEED_AT, 'latin1') + seed.copy(CHAIN, SEED_AT + label.length);
  if (seedLength < label.length + seed.length)
    throw new RangeError('a seed that is longer than any of TLS 1.0');
  xorExpansion(new ShortHmac('md5', secret.subarray(0, half)), seedLength, output);
  xorExpansion(new ShortHmac('sha1', secret.subarray(secret.length - half)), seedLength, output);
  CHAIN.fill(0, 0, SEED_AT + seedLength);
  return output;
}

/** P_hash of RFC 2246, 5, XORed into `output`; label and seed lie in CHAIN. */
function xorExpansion(hmac: ShortHmac, seedLength: number, output: Buffer): void {
  const { outputLength } = hmac;
  const from = SEED_AT - outputLength;
  const a = CHAIN.subarray(from, SEED_AT);
  const chain = CHAIN.subarray(from, SEED_AT + seedLength);
  hmac.compute(CHAIN.subarray(SEED_AT, SEED_AT + seedLength), a, 0);
  for (let at = 0; at < output.length; at += outputLength) {
    if (at > 0) hmac.compute(a, a, 0);
    hmac.compute(chain, BLOCK, 0);
    const end = Math.min(outputLength, output.length - at);
    for (let i = 0; i < end; i += 1) output[at + i]! ^= BLOCK[i]!;
  }
  BLOCK.fill(0);
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

/** Bytes: the longest A(i), SHA-1's; it lies right in front of the seed, so that both are one message. */
const SEED_AT = 20;
/** Shared by all, since nothing here is interrupted; label and seed take 86 bytes at most (RFC 7627, 4). */
const CHAIN = Buffer.alloc(SEED_AT + 256);
const BLOCK = new Uint8Array(SEED_AT);
