import type { Fault } from '../fault.js';

export const clockJumps: Fault = {
  name: 'clock jumps',
  does: 'the clock jumps by hours and days, forwards and backwards, and back to the right time',
  holds: 'mail flows, and no session lasts less than nothing or longer than it did',
  async run({ setClock, mailFlows }) {
    for (const hours of JUMPS) {
      await setClock(hours * 3_600_000);
      await mailFlows();
    }
    return `by ${JUMPS.join(', ')} hours`;
  },
};

/** Hours from the right time: past the life of tickets and of their keys, and before they were made. */
const JUMPS = [1, 13, 24 * 400, -1, -48, 0];
