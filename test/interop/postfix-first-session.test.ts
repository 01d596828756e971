/** What a client gets before Postfix has a session for it is what Postfix would have sent, and there is one session for one mail. */
import { test, type Test } from 'tap';
import { postfixLack, startPostfix, type Mta } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';

const CLIENT = '127.0.0.99';
const OLD = { format: 'sslv2', version: 0x0301, suites: [0x002f] } as const;

interface Scene {
  readonly postfix: Mta;
  readonly program: Program;
  readonly connect: (listener: 'learnt' | 'live') => Promise<SmtpClient>;
}

/** The same Postfix as two backends. */
async function start(
  t: Test,
  identity: 'proxy-v2' | 'xclient',
  settings: Record<string, string>,
): Promise<Scene> {
  const xclient = { smtpd_upstream_proxy_protocol: '', smtpd_authorized_xclient_hosts: '127.0.0.1' };
  const postfix = await startPostfix({ ...(identity === 'xclient' && xclient), ...settings });
  const names = ['learnt', 'live'] as const;
  const toml = proxyConfig({
    listeners: names.map((name) => ({ name, backend: name })),
    backends: names.map((name) => ({
      name,
      identity,
      address: `127.0.0.1:${postfix.port}`,
      'first-session': name,
      'health-interval': name === 'learnt' ? '500ms' : '0',
    })),
    log: { level: 'debug' },
  });
  const program = await startProgram(toml, names.length);
  t.teardown(async () => {
    await program.stop();
    postfix.stop();
  });
  const connect: Scene['connect'] = (name) => SmtpClient.connect(program.ports.get(name)!, CLIENT);
  return { postfix, program, connect };
}

async function untilLearnt({ program, connect }: Scene): Promise<void> {
  for (;;) {
    const client = await connect('learnt');
    await client.reply();
    await client.command('QUIT');
    client.destroy();
    if ((await program.nextConnection()).backendSessions === 0) return;
    await program.next('backend_health');
  }
}

for (const identity of ['proxy-v2', 'xclient'] as const) {
  test(`Postfix behind ${identity}: one session for one mail, and the same replies`, async (t) => {
    if (!hasPeer(t, 'postfix', postfixLack())) return;
    const scene = await start(t, identity, {});
    const { postfix, program, connect } = scene;
    await untilLearnt(scene);
    const replies = await Promise.all(
      (['learnt', 'live'] as const).map(async (name) => {
        const client = await connect(name);
        const all = [await client.reply()];
        const commands = [
          'HELO a.example',
          'EHLO a.example',
          'NOOP',
          'RSET',
          'STARTTLS x',
          'EHLO b.example',
          'QUIT',
        ];
        for (const command of commands) all.push(await client.command(command));
        await client.closed();
        return all;
      }),
    );
    t.same(replies[0], replies[1]);
    const sessions = [await program.nextConnection(), await program.nextConnection()].map(
      ({ listener, backendSessions }) => `${listener} ${backendSessions}`,
    );
    t.same(sessions.sort(), ['learnt 0', 'live 1']);

    const before = connections(postfix);
    const client = await connect('learnt');
    await client.reply();
    await client.command('EHLO old.example');
    await client.command('STARTTLS');
    await client.secureLikeOld(OLD);
    await client.command('EHLO old.example');
    t.match(
      await client.deliver('a@old.example', 'b@new.example', 'Subject: x\r\n\r\ntext'),
      /^250 2\.0\.0 Ok/,
    );
    await client.command('QUIT');
    await client.closed();
    const mail = await postfix.nextMessage();
    t.match(mail, new RegExp(`^Received: from old\\.example \\(unknown \\[${CLIENT}\\]\\)`, 'm'));
    t.match(await program.nextConnection(), { outcome: 'completed', backendSessions: 1 });
    if (identity === 'proxy-v2')
      t.equal(connections(postfix) - before, 1, 'one session in the log of Postfix');

    const clear = await connect('learnt');
    await clear.reply();
    await clear.command('EHLO clear.example');
    t.match(
      await clear.deliver('a@old.example', 'b@new.example', 'Subject: y\r\n\r\ntext'),
      /^250 2\.0\.0 Ok/,
    );
    await clear.command('QUIT');
    const received = await postfix.nextMessage();
    t.match(received, new RegExp(`^Received: from clear\\.example \\(unknown \\[${CLIENT}\\]\\)`, 'm'));
    t.match(await program.nextConnection(), { outcome: 'plaintext', backendSessions: 1 });
  });
}

/** Of the client, as Postfix logs them. */
function connections(postfix: Mta): number {
  return postfix.log().split(` connect from unknown[${CLIENT}]`).length - 1;
}

test('a Postfix that refuses a client at EHLO refuses it at its next command, and is live from then on', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const scene = await start(t, 'proxy-v2', {
    smtpd_delay_reject: 'no',
    smtpd_helo_restrictions: 'check_helo_access inline:{bad.example=REJECT}',
  });
  const { program, connect } = scene;
  await untilLearnt(scene);
  const refused = /^554 5\.7\.1 <bad\.example>: Helo command rejected/;
  const client = await connect('learnt');
  await client.reply();
  t.match(await client.command('EHLO bad.example'), /^250-mta\.example/);
  t.match(await client.command('MAIL FROM:<a@old.example>'), refused);
  await client.closed();
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_refused' });
  t.match(await program.next('first_session_live'), { backend: 'learnt', reason: /EHLO/ });
  const next = await connect('learnt');
  await next.reply();
  t.match(await next.command('EHLO bad.example'), refused);
  next.destroy();
});
