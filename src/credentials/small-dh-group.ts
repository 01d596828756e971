/**
 * A 1024-bit Diffie-Hellman group of this site, for the few clients that support no longer one (docs/security.md,
 * Logjam).
 */
import { generatePrime } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DhGroup } from '../tls/index.js';

/**
 * Reads the prime from `directory`, or generates it and stores it there. With a prime of its own, an attacker's
 * precomputation is of use against one site only.
 */
export async function loadSmallDhGroup(directory: string): Promise<DhGroup> {
  const file = join(directory, 'dh1024.hex');
  try {
    return new DhGroup(Buffer.from((await readFile(file, 'latin1')).trim(), 'hex'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const prime = await newSafePrime();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(file, `${prime.toString('hex')}\n`, { mode: 0o600 });
  return new DhGroup(prime);
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

const PRIME_BITS = 1024;
