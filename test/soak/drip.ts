/** Slow clients: they send one byte at a time. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * @param bytes each element is one write
 * @param interval milliseconds
 */
export async function drip<T>(bytes: Iterable<T>, interval: number, write: (one: T) => void): Promise<void> {
  for (const one of bytes) {
    write(one);
    await pause(interval);
  }
}
