/** Logins that the configuration withholds, and commands with bare LF, against the running program. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { test, type Test } from 'tap';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';

const LOGIN = 'AUTH PLAIN AGFubmEAc2VjcmV0';

interface Path {
  readonly program: Program;
  /** What the backend was given, in order. */
  readonly logins: string[];
  readonly messages: string[];
  readonly client: () => Promise<SmtpClient>;
}

/** A backend that takes logins in clear, behind the program. */
async function startPath(
  t: Test,
  listener: Table,
  config: { tls?: Table; limits?: Table } = {},
): Promise<Path> {
  const logins: string[] = [];
  const messages: string[] = [];
  const backend = new SMTPServer({
    hideSTARTTLS: true,
    allowInsecureAuth: true,
    authOptional: true,
    disableReverseLookup: true,
    useProxy: true,
    logger: false,
    onAuth: ({ username }, _, done) => {
      logins.push(username ?? '');
      done(null, { user: username });
    },
    onData: (stream, _, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        messages.push(Buffer.concat(chunks).toString('latin1'));
        done();
      });
    },
  });
  backend.listen(0, '127.0.0.1');
  await once(backend.server, 'listening');
  const { port } = backend.server.address() as AddressInfo;
  const program = await startProgram(
    proxyConfig({
      listeners: [listener],
      backend: { address: port, identity: 'proxy-v1' },
      ...config,
    }),
    1,
  );
  t.teardown(async () => {
    await program.stop();
    backend.close(() => undefined);
  });
  return { program, logins, messages, client: () => SmtpClient.connect(program.ports.get('mx')!) };
}

/** Tries to log in at every point of a session with a message in it. @returns the replies to AUTH */
async function tryLogins(client: SmtpClient): Promise<string[]> {
  const replies = [await client.command(LOGIN)];
  await client.command('MAIL FROM:<a@client.example>');
  replies.push(await client.command(LOGIN));
  await client.command('RSET');
  replies.push(await client.command(LOGIN));
  const delivered = await client.deliver('a@client.example', 'b@mx.example', `Subject: x\r\n\r\n${LOGIN}`);
  if (!delivered.startsWith('250')) throw new Error(delivered);
  replies.push(await client.command(LOGIN));
  return replies;
}

test('auth = "tls": in clear nobody logs in, whatever commands come before', async (t) => {
  const { program, logins, messages, client } = await startPath(t, {});
  const one = await client();
  await one.reply();
  t.notMatch(await one.command('EHLO client.example'), /AUTH/);
  for (const reply of await tryLogins(one)) t.match(reply, /^538 5\.7\.11 /);
  t.match(await one.command('QUIT'), /^221 /);
  t.match(await program.nextConnection(), { outcome: 'plaintext' });
  t.same(logins, []);
  t.same(messages, [`Subject: x\r\n\r\n${LOGIN}\r\n`], 'mail in clear arrives as it was sent');
});

test('auth = "strong-tls": inside weak TLS nobody logs in either', async (t) => {
  const { logins, messages, client } = await startPath(
    t,
    { auth: 'strong-tls' },
    { tls: { profile: 'ancient' } },
  );
  const old = await client();
  await old.reply();
  await old.command('EHLO client.example');
  await old.command('STARTTLS');
  await old.secureLikeOld({ version: 0x0301, suites: [0x002f] });
  t.notMatch(await old.command('EHLO client.example'), /AUTH/);
  for (const reply of await tryLogins(old)) t.match(reply, /^538 5\.7\.11 /);
  old.destroy();
  const modern = await client();
  await modern.reply();
  await modern.command('EHLO client.example');
  await modern.command('STARTTLS');
  await modern.secure();
  t.match(await modern.command('EHLO client.example'), /AUTH/);
  t.match(await modern.command(LOGIN), /^235 /);
  modern.destroy();
  t.same(logins, ['anna'], 'only with TLS 1.2 or later');
  t.equal(messages.length, 1);
});

test('mail in clear takes the idle timeout of mail, not that of commands', async (t) => {
  const limits = { 'command-timeout': '300ms', 'idle-timeout': '1h' };
  const { messages, client } = await startPath(t, {}, { limits });
  const slow = await client();
  await slow.reply();
  await slow.command('EHLO client.example');
  for (const line of ['MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'DATA'])
    await slow.command(line);
  const idle = await client();
  await idle.reply();
  await idle.command('EHLO client.example');
  t.match(await idle.reply(), /^421 4\.4\.2 /, 'while the timeout of commands has passed');
  t.match(await slow.command('late\r\n.'), /^250 /);
  t.same(messages, ['late\r\n']);
  slow.destroy();
});

test('bare-lf: commands with LF alone are accepted, or refused where the listener has "reject"', async (t) => {
  const accepting = await startPath(t, {});
  const script = await accepting.client();
  await script.reply();
  script.write('EHLO old.example\n');
  t.match(await script.reply(), /^250-/);
  script.write('STARTTLS\n');
  t.match(await script.reply(), /^220 /);
  await script.secureLikeOld({ version: 0x0301, suites: [0x002f] });
  script.destroy();
  t.match(await accepting.program.nextConnection(), {
    smtp: { helo: 'old.example' },
  });
  const rejecting = await startPath(t, { 'bare-lf': 'reject' });
  const refused = await rejecting.client();
  await refused.reply();
  refused.write('EHLO old.example\n');
  t.match(await refused.reply(), /^500 5\.5\.2 proxy\.example lines end with CR LF/);
  await refused.closed();
  t.match(await rejecting.program.nextConnection(), { outcome: 'smtp_refused', reason: 'bare_newline' });
});

test('TLS that begins without STARTTLS, or after its refusal, is named in the log', async (t) => {
  const { program, client } = await startPath(t, {});
  const implicit = await client();
  implicit.send(Buffer.from('16030100050100000103', 'hex'));
  await implicit.closed();
  t.match(await program.nextConnection(), {
    outcome: 'smtp_refused',
    reason: 'tls_without_starttls',
    explanation: /began TLS at once.*mode = "implicit"/,
  });
  const stubborn = await client();
  await stubborn.reply();
  await stubborn.command('EHLO client.example');
  t.match(await stubborn.command('STARTTLS now'), /^501 /);
  stubborn.send(Buffer.from('802e01030100150000001000000a', 'hex'));
  await stubborn.closed();
  t.match(await program.nextConnection(), {
    reason: 'tls_despite_refusal',
    explanation: /ignored the reply/,
  });
});
