import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { STAGES } from '../stages.js';
import { within } from '../within.js';

export const resets: Fault = {
  name: 'resets',
  does: 'connections are reset (RST) at every stage',
  holds: 'nothing of a message arrives whose end was not sent',
  async run({ books, connect }) {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const clients = STAGES.map(async ([name, reach]) => {
        const client = await connect();
        await within(TIMEOUT_SECONDS, `a client gets to ${name}`, reach(client, books));
        client.reset();
      });
      await Promise.all(clients);
    }
    return `${TURNS * STAGES.length} resets`;
  },
};

const TURNS = 15;
