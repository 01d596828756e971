/** How V8 is to behave in a process that moves other people's bytes, at any hour. */
import { setFlagsFromString } from 'node:v8';

/** To be called before there are connections. A flag that V8 does not know costs a line on standard error, no more. */
export function tuneV8(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

const FLAGS = [
  /**
   * Buffers are freed when the collection ends, not by a thread some time later. V8 counts their bytes until then, and
   * with 64 kB for each read it takes them for a reason to mark the whole heap: 30 times for each gigabyte that passes,
   * instead of once, and a third of the time that a transfer took.
   */
  '--no-concurrent-array-buffer-sweeping',
  /**
   * When nobody is connected, V8 uses the silence to collect all that is unused, a few times. It takes the shapes of
   * objects that nobody has just then for unused too, and with them what it has compiled for them; and bytecode that did
   * not run. After half a minute of silence a connection cost 1.7 times as much, and thousands had to come before it
   * cost what it did. Mail from old devices comes in that way.
   */
  '--retain-maps-for-n-gc=1000',
  '--no-flush-bytecode',
];
