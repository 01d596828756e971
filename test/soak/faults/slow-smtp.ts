import type { SmtpClient } from '../../support/smtp-client.js';
import { drip } from '../drip.js';
import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { OLD_CLIENT } from '../stages.js';
import { within } from '../within.js';

export const slowSmtp: Fault = {
  name: 'slow commands',
  does: 'every command comes byte by byte, STARTTLS too, in clear and in TLS',
  holds: 'their mail is taken: they are slow, not wrong',
  async run({ books, connect }) {
    const clients = Array.from({ length: CLIENTS }, async () => {
      const client = await connect();
      const say = (line: string): Promise<string> => slowly(client, `${line}\r\n`);
      await client.reply();
      await say('EHLO soak.example');
      await say('STARTTLS');
      await client.secureLikeOld(OLD_CLIENT);
      await say('EHLO soak.example');
      const from = books.begin();
      await say(`MAIL FROM:<${from}>`);
      await say('RCPT TO:<r@sink.example>');
      await say('DATA');
      const reply = await say('Subject: slow\r\n\r\n.');
      if (!reply.startsWith('250')) throw new Error(`mail of a slow client was answered ${reply}`);
      books.acknowledge(from);
      await say('QUIT');
      client.destroy();
    });
    await within(TIMEOUT_SECONDS, 'mail of slow clients is taken', Promise.all(clients));
    return `${clients.length} messages`;
  },
};

async function slowly(client: SmtpClient, line: string): Promise<string> {
  await drip(line, INTERVAL_MS, (character) => client.write(character));
  return client.reply();
}

const CLIENTS = 20;
/** Milliseconds between bytes. */
const INTERVAL_MS = 50;
