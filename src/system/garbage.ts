/** How V8 collects garbage in a process that moves other people's bytes. */
import { setFlagsFromString } from 'node:v8';

/**
 * Buffers are freed when the collection ends, not by a thread some time later. V8 counts their bytes until then, and
 * with 64 kB for each read it takes them for a reason to mark the whole heap: 30 times for each gigabyte that passes,
 * instead of once, and a third of the time that a transfer took.
 */
export function freeBuffersAtOnce(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
