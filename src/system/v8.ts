/** Sets flags of V8 for a process that forwards data and has both busy and idle times. */
import { setFlagsFromString } from 'node:v8';

/** Call it before the first connection. An unknown flag costs one line on standard error and nothing else. */
export function tuneV8(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

const FLAGS = [
  /**
   * Frees buffers when a collection ends, and not later on another thread. V8 counts their bytes until then; with 64 kB
   * for each read this made it mark the whole heap 30 times for each gigabyte, instead of once, which took a third of
   * the time of a transfer.
   */
  '--no-concurrent-array-buffer-sweeping',
  /**
   * In idle times V8 collects unused memory a few times. That includes hidden classes without objects at that moment,
   * the code compiled for them, and bytecode that did not run. After half a minute without clients a connection cost
   * 1.7 times as much, and only after thousands of connections it was as fast as before. Mail from old devices often
   * comes after such pauses.
   */
  '--retain-maps-for-n-gc=1000',
  '--no-flush-bytecode',
];
