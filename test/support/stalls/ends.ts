/** All stalled clients at once, and how the connection of each ends. */
import type { Test } from 'tap';
import { STALL_CASES, type Expected, type StallCase } from './cases.js';
import { endOf, type Rig, type Stalled } from './rig.js';

/** @param from the clients' address; the program's own if absent */
export function stallAll(rig: Rig, from?: string): Promise<Stalled[]> {
  return Promise.all(STALL_CASES.map((one) => rig.stall(one, from)));
}

/**
 * Each is logged once, as it should be, and each client that can see it is closed.
 * @param within milliseconds
 */
export async function assertEnds(
  t: Test,
  rig: Rig,
  stalled: readonly (Omit<Stalled, 'client'> & Partial<Stalled>)[],
  within: number,
  expected: (one: StallCase) => Expected,
): Promise<void> {
  const ends = await Promise.all(stalled.map((one) => endOf(rig, one, within)));
  for (const [index, one] of STALL_CASES.entries()) {
    const { events, ...end } = ends[index]!;
    const closed = stalled[index]!.client !== undefined;
    const all = { failure: undefined, closed, events: 1, ...expected(one) };
    t.match({ ...events[0], ...end, events: events.length }, all, one.name);
  }
}
