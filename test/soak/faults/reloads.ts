import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { within } from '../within.js';

export const reloads: Fault = {
  name: 'reloads',
  does: 'SIGHUP comes while mail flows, ten times',
  holds: 'each is taken',
  async run({ program, mailFlows }) {
    for (let turn = 0; turn < TURNS; turn += 1) {
      program.signal('SIGHUP');
      await within(TIMEOUT_SECONDS, 'a reload is told', program.next('reloaded'));
      await mailFlows();
    }
    return `${TURNS} reloads`;
  },
};

const TURNS = 10;
