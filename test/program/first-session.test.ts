/** first-session = "learnt": one session with the backend for one message, and what the client is told is true. */
import { once } from 'node:events';
import { test, type Test } from 'tap';
import { CountingBackend, STANDARD_REPLIES } from '../support/counting-backend.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';

interface Scene {
  readonly backend: CountingBackend;
  readonly program: Program;
  readonly connect: () => Promise<SmtpClient>;
}

/** Backend and program; the program tries the backend five times a second. */
async function start(t: Test, config: ProxyConfig = {}, backend = new CountingBackend()): Promise<Scene> {
  const address = await backend.listen();
  const keys = { 'first-session': 'learnt', 'health-interval': '200ms', identity: 'proxy-v1' };
  const toml = proxyConfig({ log: { level: 'debug' }, ...config, backend: { address, ...keys } });
  const program = await startProgram(toml, 1);
  t.teardown(async () => {
    await program.stop();
    await backend.close();
  });
  const port = program.ports.get('mx')!;
  return { backend, program, connect: () => SmtpClient.connect(port) };
}

/** Until a client that only says QUIT needs no backend. */
async function untilLearnt({ program, backend, connect }: Scene): Promise<void> {
  for (;;) {
    const client = await connect();
    await client.reply();
    await client.command('QUIT');
    client.destroy();
    const { backendSessions } = await program.nextConnection();
    if (backendSessions === 0) break;
    await program.next('backend_health');
  }
  backend.sessions.length = 0;
}

/** As far as EHLO. @returns its reply */
async function greeted({ connect }: Scene): Promise<{ client: SmtpClient; greeting: string; ehlo: string }> {
  const client = await connect();
  const greeting = await client.reply();
  return { client, greeting, ehlo: await client.command('EHLO c.example') };
}

async function sendMail(client: SmtpClient): Promise<void> {
  await client.deliver('a@a.example', 'b@b.example', 'Subject: x\r\n\r\ntext');
  await client.command('QUIT');
  await client.closed();
}

test('where the replies of the backend are learnt, it gets one session for one message', async (t) => {
  const scene = await start(t);
  const { backend, program, connect } = scene;
  await untilLearnt(scene);

  await t.test('over STARTTLS', async (t) => {
    const { client, greeting, ehlo } = await greeted(scene);
    t.equal(greeting, '220 mx.example ESMTP Model');
    t.equal(ehlo, '250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 STARTTLS');
    t.equal(await client.command('NOOP'), '250 2.0.0 nothing');
    t.equal(await client.command('RSET'), '250 2.0.0 reset');
    t.match(await client.command('STARTTLS'), /^220 /);
    await client.secure();
    await client.command('EHLO inside.example');
    await sendMail(client);
    const helo = 'inside.example';
    t.match(await program.nextConnection(), { outcome: 'completed', backendSessions: 1, smtp: { helo } });
    const [session, ...others] = backend.clients.splice(0);
    t.same(others, []);
    t.same(session?.commands.slice(0, 2), ['EHLO inside.example', 'MAIL FROM:<a@a.example>']);
    t.equal(session?.mails, 1);
    backend.sessions.length = 0;
  });

  await t.test('in clear, with everything sent at once', async (t) => {
    const client = await connect();
    client.write(
      'EHLO first.example\r\nEHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n',
    );
    for (const reply of [/^220 /, /^250-/, /^250-/, /^250 2\.0\.0 Ok/, /^250 2\.0\.0 Ok/]) {
      t.match(await client.reply(), reply);
    }
    t.match(await client.command('DATA'), /^354 /);
    t.match(await client.command('text\r\n.'), /^250 /);
    await client.command('QUIT');
    t.match(await program.nextConnection(), { outcome: 'plaintext', backendSessions: 1 });
    t.equal(backend.clients.length, 1);
    t.same(backend.clients[0]?.commands.slice(0, 2), ['EHLO c.example', 'MAIL FROM:<a@a.example>']);
    backend.sessions.length = 0;
  });

  await t.test('and none for a client that sends none, whichever side ends', async (t) => {
    const quitting = await greeted(scene);
    t.equal(await quitting.client.command('QUIT'), '221 2.0.0 Bye');
    await quitting.client.closed();
    t.match(await program.nextConnection(), { outcome: 'plaintext', backendSessions: 0 });
    const ending = await greeted(scene);
    ending.client.halfClose();
    await ending.client.closed();
    t.match(await program.nextConnection(), { outcome: 'plaintext', backendSessions: 0 });
    const leaving = await greeted(scene);
    leaving.client.reset();
    t.match(await program.nextConnection(), { outcome: 'client_gone', backendSessions: 0 });
    t.same(backend.clients, []);
  });

  await t.test('a client that begins with TLS is refused without a backend session', async (t) => {
    const client = await connect();
    await client.reply();
    client.send(Buffer.from('16030100050100000100', 'hex'));
    t.match(await client.reply(), /^554 /);
    t.match(await program.nextConnection(), { reason: 'tls_without_starttls', backendSessions: 0 });
    t.same(backend.clients, []);
  });

  await t.test('a client that has no session yet gets 421 at shutdown', async (t) => {
    const { client } = await greeted(scene);
    program.signal('SIGTERM');
    await program.next('stopping');
    program.signal('SIGTERM');
    await client.closed();
    t.equal(await program.exited, 0);
  });
});

test('a backend that changes or goes is forgotten, and its clients come again', async (t) => {
  const scene = await start(t);
  const { backend, program } = scene;
  await untilLearnt(scene);
  const ready = await greeted(scene);
  backend.replies = { ...STANDARD_REPLIES, ehlo: '250-mx.example\r\n250 PIPELINING\r\n' };
  t.match(await ready.client.command('MAIL FROM:<a@a.example> SIZE=10'), /^421 4\.3\.0 /);
  await ready.client.closed();
  t.match(await program.nextConnection(), {
    outcome: 'backend_failed',
    reason: 'backend_changed',
    backendSessions: 1,
  });
  const next = await greeted(scene);
  t.equal(next.ehlo, '250-mx.example\r\n250-PIPELINING\r\n250 STARTTLS', 'as the backend has it now');
  await sendMail(next.client);
  t.match(await program.nextConnection(), { backendSessions: 1 });

  await untilLearnt(scene);
  const late = await greeted(scene);
  await backend.close();
  t.match(await late.client.command('MAIL FROM:<a@a.example>'), /^421 4\.3\.0 /);
  t.match(await program.nextConnection(), { reason: 'backend_unreachable', backendSessions: 0 });
  const refused = await scene.connect();
  t.match(await refused.reply(), /^421 4\.3\.0 /, 'nobody is greeted for it any more');
  await backend.listen(backend.port);
});

test('a backend that refuses a session is passed on as the reply to the command, and is live from then on', async (t) => {
  const scene = await start(t);
  const { backend, program } = scene;
  await untilLearnt(scene);
  const { client } = await greeted(scene);
  backend.replies = { ...STANDARD_REPLIES, greeting: '554 5.7.1 not you\r\n' };
  t.equal(await client.command('MAIL FROM:<a@a.example>'), '554 5.7.1 not you');
  await client.closed();
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_refused' });
  t.match(await program.next('first_session_live'), { backend: 'mta', reason: /refusal/, minutes: 60 });
  const commands = backend.clients.flatMap((session) => session.commands);
  t.same(commands, [], 'and nothing is said to it');
});

test('a backend that falls silent while a client waits for it is timed out', async (t) => {
  const limits = { 'greeting-timeout': '400ms', 'command-timeout': '5s' };
  const scene = await start(t, { limits, listeners: [{ auth: 'always' }] });
  const { backend, program } = scene;
  for (const silent of ['greeting', 'EHLO'] as const) {
    backend.replies = STANDARD_REPLIES;
    await untilLearnt(scene);
    const [{ client }, leaving, flooding] = await Promise.all([
      greeted(scene),
      greeted(scene),
      greeted(scene),
    ]);
    backend.replies = { ...STANDARD_REPLIES, silent };
    t.match(await client.command('MAIL FROM:<a@a.example>'), /^421 4\.3\.0 /, silent);
    t.match(await program.nextConnection(), {
      outcome: 'backend_timeout',
      reason: 'backend_greeting_timeout',
      backendSessions: 1,
    });
    leaving.client.write('MAIL FROM:<a@a.example>\r\n');
    while (backend.clients.length < 2) await once(backend, 'session');
    leaving.client.reset();
    t.match(await program.nextConnection(), { outcome: 'client_gone' });
    flooding.client.write(`MAIL FROM:<a@a.example>\r\n${'x'.repeat(200_000)}`);
    t.match(await flooding.client.reply(), /^421 4\.3\.0 /, 'what is sent meanwhile gives it no more time');
    await program.nextConnection();
  }
});

test('a greeting that differs each time is learnt as far as its first words', async (t) => {
  let count = 0;
  const varying = new CountingBackend();
  varying.next = () => ({ ...STANDARD_REPLIES, greeting: `220 mx.example ESMTP id ${(count += 1)}\r\n` });
  const scene = await start(t, {}, varying);
  await untilLearnt(scene);
  const { client, greeting } = await greeted(scene);
  t.equal(greeting, '220 mx.example ESMTP');
  client.destroy();
});

test('a backend that greets like a postscreen is live', async (t) => {
  const backend = new CountingBackend();
  const greeting = '220-mx.example ESMTP\r\n220 mx.example ESMTP\r\n';
  backend.replies = { ...STANDARD_REPLIES, greeting, delayMs: 1_600 };
  const scene = await start(t, {}, backend);
  const { client } = await greeted(scene);
  t.match(await scene.program.next('first_session_live'), { backend: 'mta', reason: /postscreen/ });
  client.destroy();
});

test('a login in clear is offered to those to whom the backend itself offers it', async (t) => {
  for (const auth of ['AUTH PLAIN', 'AUTH=PLAIN']) {
    const backend = new CountingBackend();
    const ehlo = `250-mx.example\r\n250-8BITMIME\r\n250 ${auth}\r\n`;
    backend.replies = { ...STANDARD_REPLIES, ehlo };
    const always = await start(t, { listeners: [{ auth: 'always' }] }, backend);
    for (const turn of [0, 1, 2]) {
      const { client } = await greeted(always);
      client.destroy();
      t.match(await always.program.nextConnection(), { backendSessions: 1 }, `${auth}, ${turn}`);
      if (turn < 2) for (let check = 0; check < 6; check += 1) await always.program.next('backend_health');
    }
  }
});

test('worker processes learn from the health checks of the first process', async (t) => {
  const scene = await start(t, { server: { workers: 2 } });
  const needed = async (): Promise<number> => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => greeted(scene)));
    for (const { client } of clients) client.destroy();
    const events = await Promise.all(clients.map(() => scene.program.nextConnection()));
    return events.reduce((sum, { backendSessions }) => sum + backendSessions, 0);
  };
  while ((await needed()) > 0) await scene.program.next('backend_health');
  t.pass('four clients at once need no session, in whichever process they are');
});
