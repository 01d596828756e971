/**
 * A 1024-bit Diffie-Hellman group of this site, for the few clients that support no longer one (docs/security.md,
 * Logjam).
 */
import { checkPrime, generatePrime } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DhGroup } from '../tls/index.js';
import { writeWhole } from './whole-file.js';

/**
 * Reads the prime from `directory`, or generates it and stores it there. With a prime of its own, an attacker's
 * precomputation is of use against one site only.
 */
export async function loadSmallDhGroup(directory: string, newPrime = newSafePrime): Promise<DhGroup> {
  const file = join(directory, 'dh1024.hex');
  const kept = await keptPrime(file);
  if (kept !== undefined) return new DhGroup(kept);
  const prime = await newPrime();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  writeWhole(file, `${prime.toString('hex')}\n`, 0o600);
  return new DhGroup(prime);
}

/** @returns undefined if there is none, or if it was damaged: a group with another number is weak or of no use at all */
async function keptPrime(file: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'latin1')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (!PRIME_IN_HEX.test(text)) return undefined;
  const prime = BigInt(`0x${text}`);
  const half = (prime - 1n) / 2n;
  return (await isPrime(prime)) && (await isPrime(half)) ? Buffer.from(text, 'hex') : undefined;
}

/** p = 23 mod 24 makes 2 a generator of the subgroup of prime order. */
function newSafePrime(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    generatePrime(PRIME_BITS, { safe: true, add: 24n, rem: 23n }, (error, prime) => {
      if (error) reject(error);
      else resolve(Buffer.from(prime));
    });
  });
}

const isPrime = promisify<bigint, boolean>(checkPrime);

const PRIME_BITS = 1024;
/** Of so many bits, and odd. */
const PRIME_IN_HEX = /^[89a-f][0-9a-f]{254}[13579bdf]$/i;
