/** Flags of V8 for a process that relays bytes at any hour. docs/performance.md has what each brings. */
import { setFlagsFromString } from 'node:v8';

/** To be called before there are connections. A flag that V8 does not know costs a line on standard error, no more. */
export function tuneV8(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

const FLAGS = [
  /**
   * Buffers are freed when the collection ends, not by a thread some time later. V8 counts their bytes until then, and
   * with 64 kB for each read it takes them for a reason to mark the whole heap: 30 times for each gigabyte that passes,
   * instead of once, and half of the CPU time of a relay.
   */
  '--no-concurrent-array-buffer-sweeping',
  /**
   * Without connections, V8 uses the silence to collect all that is unused, a few times. It counts the shapes of objects
   * that do not exist just then as unused too, and with them what it has compiled for them; and bytecode that did not
   * run. After half a minute of silence a connection cost 1.7 times as much, and thousands had to come before it
   * cost what it did. Mail from old devices comes in that way.
   */
  '--retain-maps-for-n-gc=1000',
  '--no-flush-bytecode',
];
