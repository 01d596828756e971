import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from '../fault.js';

export const backendRestart: Fault = {
  name: 'backend restarts',
  does: 'the backend is cut off in the middle of everything, is away for a second, and comes back; five times',
  holds: 'mail flows again each time',
  async run({ backend, mailFlows }) {
    for (let turn = 0; turn < RESTARTS; turn += 1) {
      await backend.restart(DOWN_MS);
      await mailFlows();
      await pause(DOWN_MS);
    }
    return `${RESTARTS} restarts`;
  },
};

const RESTARTS = 5;
const DOWN_MS = 1000;
