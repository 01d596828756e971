/**
 * What the garbage collector's short collections leave behind. V8 keeps some things in its old space from the start, and
 * what those lead to, dead or alive, stays until the next full collection.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;

/** Bytes for each call of `act` that are left after short collections only. */
export async function bytesLeft(act: () => void | Promise<void>): Promise<number> {
  // What is compiled, and what is kept for good, is there after a few hundred.
  await repeat(act, 500);
  collect({ type: 'major' });
  const before = getHeapStatistics().used_heap_size;
  await repeat(act, TIMES);
  return (getHeapStatistics().used_heap_size - before) / TIMES;
}

async function repeat(act: () => void | Promise<void>, times: number): Promise<void> {
  for (let time = 1; time <= times; time += 1) {
    await act();
    if (time % 50 === 0) collect({ type: 'minor' });
    // Node frees what belongs to native objects between two turns.
    if (time % 10 === 0) await new Promise(setImmediate);
  }
  // The first one moves what is alive, the second one away.
  collect({ type: 'minor' });
  collect({ type: 'minor' });
}

const TIMES = 1000;
