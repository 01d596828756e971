import { setTimeout as pause } from 'node:timers/promises';
import { OPEN_FILES, TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { within } from '../within.js';

export const descriptors: Fault = {
  name: 'no descriptors left',
  does: `more connections come at once than oldhello may have open files (${OPEN_FILES}), say nothing, and stay`,
  holds: 'it turns away those that it has no room for, serves on, and lets go of all of them',
  async run(soak) {
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => soak.connect()));
    let most = 0;
    let watching = true;
    const watch = async (): Promise<void> => {
      while (watching) {
        most = Math.max(most, soak.descriptors());
        await pause(50);
      }
    };
    const gone = Promise.all(clients.map((client) => client.closed()));
    const watched = watch();
    await within(TIMEOUT_SECONDS, 'all of them are disconnected', gone);
    watching = false;
    await watched;
    for (const client of clients) client.destroy();
    const told = clients.filter(({ received }) => received.startsWith('421 4.3.1')).length;
    if (told === 0) throw new Error('nobody was told that there are too many');
    return `${CONNECTIONS} connections, ${told} told 421 4.3.1, ${most} descriptors at most`;
  },
};

const CONNECTIONS = OPEN_FILES * 2;
