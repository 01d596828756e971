/**
 * Digests of short texts, in hex, remembered: the same senders come again and again, and the names of each hello take
 * three.
 */
import { createHash } from 'node:crypto';

export function textHash(algorithm: 'md5' | 'sha256', text: string): string {
  if (text.length > MAX_LENGTH) return digest(algorithm, text);
  const key = algorithm + text;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const [oldest] = remembered.keys();
  if (remembered.size >= CAPACITY && oldest !== undefined) remembered.delete(oldest);
  const hash = digest(algorithm, text);
  remembered.set(key, hash);
  return hash;
}

function digest(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}

const remembered = new Map<string, string>();
/** Characters; longer than what real clients offer. */
const MAX_LENGTH = 1_000;
/** Texts: a megabyte at the very most. */
const CAPACITY = 1_000;
