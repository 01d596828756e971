import { drip } from '../drip.js';
import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { secured } from '../stages.js';
import { within } from '../within.js';

export const slowData: Fault = {
  name: 'slow messages',
  does: 'messages come byte by byte, for longer than anybody may be silent',
  holds: 'they are taken',
  async run({ books, connect }) {
    const clients = Array.from({ length: CLIENTS }, async () => {
      const client = await connect();
      await secured(client, books);
      const from = books.begin();
      await client.command(`MAIL FROM:<${from}>`);
      await client.command('RCPT TO:<r@sink.example>');
      await client.command('DATA');
      await drip(MESSAGE, INTERVAL_MS, (character) => client.write(character));
      const reply = await client.reply();
      if (!reply.startsWith('250')) throw new Error(`a slow message was answered ${reply}`);
      books.acknowledge(from);
      client.destroy();
    });
    await within(TIMEOUT_SECONDS, 'slow messages are taken', Promise.all(clients));
    return `${clients.length} messages of ${MESSAGE.length} bytes`;
  },
};

const CLIENTS = 20;
const MESSAGE = `Subject: slow\r\n\r\n${'x'.repeat(76)}\r\n.\r\n`;
/** Milliseconds between bytes: 20 seconds in all, where 15 of silence are too much. */
const INTERVAL_MS = 200;
