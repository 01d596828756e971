import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { STAGES } from '../stages.js';
import { within } from '../within.js';

export const halfOpen: Fault = {
  name: 'half-open clients',
  does: 'clients fall silent at every stage, half of them after saying that no more will come, and stay connected',
  holds: 'each of them is disconnected',
  async run({ books, connect }) {
    const clients = STAGES.flatMap(([name, reach]) =>
      Array.from({ length: EACH }, async (_, index) => {
        const client = await connect();
        await within(TIMEOUT_SECONDS, `a client gets to ${name}`, reach(client, books));
        if (index % 2 === 0) client.halfClose();
        await within(TIMEOUT_SECONDS, `a client that fell silent ${name} is disconnected`, client.closed());
        client.destroy();
      }),
    );
    await Promise.all(clients);
    return `${clients.length} clients`;
  },
};

/** Clients at each stage. */
const EACH = 6;
