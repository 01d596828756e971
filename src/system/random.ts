/**
 * node:crypto's random bytes, fetched a page at a time: a call costs some 7 us whatever its length, a handshake makes
 * four, and TLS 1.1 one for each CBC record.
 */
import { randomBytes, randomFillSync } from 'node:crypto';

const PAGE = Buffer.alloc(4096);
let at = PAGE.length;

/** In a buffer of its own; what was handed out is wiped here, so that nobody finds it afterwards. */
export function pooledRandomBytes(length: number): Buffer {
  if (length > PAGE.length) return randomBytes(length);
  if (at + length > PAGE.length) {
    randomFillSync(PAGE);
    at = 0;
  }
  const bytes = Buffer.alloc(length);
  PAGE.copy(bytes, 0, at, at + length);
  PAGE.fill(0, at, at + length);
  at += length;
  return bytes;
}
