/** Two Postfixes behind one backend: one that is stopped costs no mail, and one may be reached by a Unix socket. */
import { test } from 'tap';
import { postfixLack, startPostfix } from '../../support/peers/postfix.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { startProgram } from '../../support/program.js';
import { proxyConfig } from '../../support/proxy-config.js';
import { SmtpClient } from '../../support/smtp-client.js';
import { logged } from '../../support/logged.js';

async function deliver(port: number, subject: string): Promise<string> {
  const client = await SmtpClient.connect(port);
  try {
    await client.reply();
    await client.command('EHLO client.example');
    await client.command('STARTTLS');
    await client.secureLikeOld({ version: 0x0301, suites: [0x2f] });
    await client.command('EHLO client.example');
    const reply = await client.deliver('a@old.example', 'b@new.example', `Subject: ${subject}\r\n\r\nx`);
    await client.command('QUIT');
    return reply;
  } finally {
    client.destroy();
  }
}

test('when one Postfix is stopped, mail goes to the other, and a session that began does not move', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const one = await startPostfix();
  const two = await startPostfix();
  const address = [one, two].map(({ port }) => `127.0.0.1:${port}`);
  const program = await startProgram(proxyConfig({ backend: { address } }), 1);
  t.teardown(async () => {
    await program.stop();
    two.stop();
  });
  const port = program.ports.get('mx')!;
  t.match(await deliver(port, 'first'), /^250 /);
  t.match(await one.nextMessage(), /^Subject: first/m);
  t.match(await program.nextConnection(), { outcome: 'completed', backendAddress: address[0] });
  const begun = await SmtpClient.connect(port);
  await begun.reply();
  t.match(await begun.command('EHLO client.example'), /^250/);
  one.stop();
  t.match(await deliver(port, 'second'), /^250 /);
  t.match(await two.nextMessage(), /^Subject: second/m);
  t.match(await logged(two, 'client=unknown[127.0.0.1]'), /smtpd.* client=unknown\[127\.0\.0\.1\]/);
  begun.destroy();
  const ended = [await program.nextConnection(), await program.nextConnection()];
  t.match(
    ended.find(({ outcome }) => outcome === 'completed'),
    { backendAddress: address[1] },
  );
  t.match(
    ended.find(({ outcome }) => outcome !== 'completed'),
    { backendAddress: address[0] },
  );
});

test('Postfix gets the address of the client over a Unix socket', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const postfix = await startPostfix({}, 'smtp-in unix n - n - - smtpd\n');
  const backend = { address: `unix:${postfix.queue}/public/smtp-in` };
  const listeners = [{ 'proxy-protocol': ['127.0.0.1'] }];
  const program = await startProgram(proxyConfig({ backend, listeners }), 1);
  t.teardown(async () => {
    await program.stop();
    postfix.stop();
  });
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  client.write('PROXY TCP4 192.0.2.77 192.0.2.1 40000 25\r\n');
  t.match(await client.reply(), /^220 mta\.example/);
  await client.command('EHLO client.example');
  t.match(await client.deliver('a@old.example', 'b@new.example', 'Subject: local\r\n\r\nx'), /^250 /);
  await client.command('QUIT');
  client.destroy();
  t.match(await postfix.nextMessage(), /^Received: from client\.example \(unknown \[192\.0\.2\.77\]\)/m);
});
