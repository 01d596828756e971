import { drip } from '../drip.js';
import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { afterHello } from '../stages.js';
import { within } from '../within.js';

export const slowHandshake: Fault = {
  name: 'slow handshakes',
  does: 'after STARTTLS and a whole hello, the key exchange comes byte by byte',
  holds: 'each client is disconnected when the time for a handshake is over',
  async run({ books, connect }) {
    const clients = Array.from({ length: CLIENTS }, async () => {
      const client = await connect();
      await afterHello(client, books);
      const closed = within(TIMEOUT_SECONDS, 'a slow key exchange is cut off', client.closed());
      await Promise.all([closed, drip(KEY_EXCHANGE, INTERVAL_MS, (byte) => client.send(Buffer.of(byte)))]);
      client.destroy();
    });
    await Promise.all(clients);
    return `${clients.length} clients`;
  },
};

const CLIENTS = 20;
/** The beginning of a record with a ClientKeyExchange for a key of 2048 bits. */
const KEY_EXCHANGE = Buffer.concat([Buffer.from('1603010106100001020100', 'hex'), Buffer.alloc(30)]);
/** Milliseconds between bytes. */
const INTERVAL_MS = 200;
