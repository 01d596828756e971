/** SIGTERM: nobody new, everybody there may finish, and who does not in time hears 421 where that can be heard. */
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'tap';
import { startMailPath } from '../support/mail-path.js';
import { startProgram } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';

const OLD = { format: 'sslv2', version: 0x0301, suites: [0x002f] } as const;

test('a message that is being sent when SIGTERM comes arrives, and nobody new is let in', async (t) => {
  const { program, sink, port } = await startMailPath();
  const client = await SmtpClient.connect(port('starttls'));
  await client.reply();
  for (const line of ['EHLO c.example', 'MAIL FROM:<a@a.example>', 'RCPT TO:<b@b.example>', 'DATA']) {
    await client.command(line);
  }
  client.write('Subject: half\r\n\r\nfirst half\r\n');
  program.signal('SIGTERM');
  t.match(await program.next('stopping'), { signal: 'SIGTERM', connections: 1 });
  await t.rejects(SmtpClient.connect(port('starttls')), { code: 'ECONNREFUSED' });
  t.match(await client.command('second half\r\n.'), /^250 /);
  t.match(await client.command('QUIT'), /^221 /);
  t.equal(await program.exited, 0);
  t.match(await sink.next(), { from: 'a@a.example' });
  t.equal(program.log.at(-1)?.event, 'stopped');
  sink.close();
});

test('at the shutdown timeout, idle clients receive 421, in clear and inside TLS; the others are disconnected', async (t) => {
  const { program, sink, port } = await startMailPath({ limits: { 'shutdown-timeout': '300ms' } });
  const open = async (mode: 'starttls' | 'implicit'): Promise<SmtpClient> => SmtpClient.connect(port(mode));

  const greeted = await open('starttls');
  await greeted.reply();

  const old = await open('implicit');
  await old.secureLikeOld(OLD);
  await old.reply();
  await old.command('EHLO old.example');
  await old.deliver('old@old.example', 'b@b.example', 'x');

  const modern = await open('implicit');
  await modern.secure();
  await modern.reply();
  await modern.command('EHLO new.example');
  await modern.command('MAIL FROM:<new@new.example>');

  const sending = await open('starttls');
  await sending.reply();
  for (const line of ['EHLO s.example', 'MAIL FROM:<s@s.example>', 'RCPT TO:<b@b.example>', 'DATA']) {
    await sending.command(line);
  }
  sending.write('Subject: never ends\r\n');
  const said = sending.received;

  const handshaking = await open('implicit');
  handshaking.write('\x80\x65\x01');

  program.signal('SIGTERM');
  for (const client of [greeted, old, modern]) {
    t.match(await client.reply(), /^421 4\.3\.2 proxy\.example /);
    await client.closed();
  }
  await handshaking.closed();
  t.equal(handshaking.received, '');
  await sending.closed();
  t.equal(sending.received, said, 'nothing is said into the middle of a message');
  t.equal(await program.exited, 0);
  const outcomes = program.log
    .filter(({ event }) => event === 'connection_closed')
    .map(({ outcome }) => outcome);
  t.same(outcomes, Array(5).fill('shutdown'));
  t.match(await sink.next(), { from: 'old@old.example' });
  sink.close();
});

test('an answer that the backend still owes when time is up is passed on, and 421 follows it', async (t) => {
  const owing = new EventEmitter();
  const backend = createServer((socket) => {
    socket.write('220 slow.example\r\n');
    const lines = createInterface({ input: socket }).on('error', () => undefined);
    lines.on('line', (line) => {
      if (line.startsWith('RCPT')) owing.emit('asked', () => socket.write('250 late\r\n'));
      else socket.write('250 at once\r\n');
    });
    socket.on('error', () => undefined);
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const program = await startProgram(
    proxyConfig({
      backend: {
        address: (backend.address() as AddressInfo).port,
        identity: 'none',
        'acknowledge-relay-risk': true,
      },
      limits: { 'shutdown-timeout': '1ms' },
    }),
    1,
  );
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  await client.reply();
  await client.command('EHLO c.example');
  await client.command('MAIL FROM:<a@a.example>');
  client.write('RCPT TO:<b@b.example>\r\n');
  const [answer] = (await once(owing, 'asked')) as [() => void];
  program.signal('SIGTERM');
  await program.next('stopping');
  answer();
  t.match(await client.reply(), /^250 late/);
  t.match(await client.reply(), /^421 4\.3\.2 /);
  await client.closed();
  t.equal(await program.exited, 0);
  backend.close();
});

test('a second signal does not wait', async (t) => {
  const { program, sink, port } = await startMailPath();
  const client = await SmtpClient.connect(port('starttls'));
  await client.reply();
  program.signal('SIGINT');
  await program.next('stopping');
  program.signal('SIGINT');
  t.equal(await program.exited, 0);
  await client.closed();
  sink.close();
});
