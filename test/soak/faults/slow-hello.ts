import { TestClient } from '../../support/test-client.js';
import { drip } from '../drip.js';
import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { afterStarttls, connected, OLD_CLIENT } from '../stages.js';
import { within } from '../within.js';

export const slowHello: Fault = {
  name: 'slow hellos',
  does: 'hellos come byte by byte, after STARTTLS and where TLS comes first, and never end',
  holds: 'each client is disconnected when the time for a handshake is over',
  async run({ books, connect }) {
    const clients = (['starttls', 'implicit'] as const).flatMap((mode) =>
      Array.from({ length: EACH }, async () => {
        const client = await connect(mode);
        await (mode === 'starttls' ? afterStarttls : connected)(client, books);
        const hello = new TestClient(OLD_CLIENT).hello();
        const closed = within(TIMEOUT_SECONDS, `a slow hello (${mode}) is cut off`, client.closed());
        await Promise.all([
          closed,
          drip(hello.subarray(0, -1), INTERVAL_MS, (byte) => client.send(Buffer.of(byte))),
        ]);
        client.destroy();
      }),
    );
    await Promise.all(clients);
    return `${clients.length} clients`;
  },
};

/** Clients of each kind. */
const EACH = 20;
/** Milliseconds between bytes: with the 45 of such a hello, longer than a handshake may take. */
const INTERVAL_MS = 200;
