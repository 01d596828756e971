/** Postfix behind oldhello with XCLIENT, in every way it can have TLS of its own: its log shows the true client. */
import { createTransport } from 'nodemailer';
import { test, type Test } from 'tap';
import { comeFrom } from '../support/from-address.js';
import { makeMessage } from '../support/message.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { postfixLack, postfixTls, startPostfix, type Mta } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { talk } from '../support/talk.js';
import { logged } from '../support/logged.js';

/** Other loopback addresses than the proxy's own, which Postfix does not trust. */
const OLD_CLIENT = '127.0.0.98';
const MODERN_CLIENT = '127.0.0.99';

type Mode = 'starttls' | 'implicit';

interface Case {
  readonly tls: 'none' | 'starttls' | 'implicit' | 'bridge';
  readonly mode: Mode;
  readonly modern?: 'terminate';
  /** Of Postfix, beyond those of its TLS. */
  readonly settings?: Record<string, string>;
  readonly auth?: 'always';
}

const CASES: readonly Case[] = [
  { tls: 'none', mode: 'starttls' },
  { tls: 'none', mode: 'implicit' },
  { tls: 'starttls', mode: 'implicit' },
  { tls: 'starttls', mode: 'starttls' },
  { tls: 'implicit', mode: 'starttls', settings: { smtpd_tls_wrappermode: 'yes' } },
  { tls: 'bridge', mode: 'starttls' },
  { tls: 'bridge', mode: 'implicit', modern: 'terminate', settings: { smtpd_tls_wrappermode: 'yes' } },
];

async function startBoth(
  t: Test,
  { tls, mode, modern, settings, auth }: Case,
): Promise<{ postfix: Mta; program: Program; port: number }> {
  const own = tls === 'none' ? undefined : postfixTls();
  const postfix = await startPostfix({
    smtpd_upstream_proxy_protocol: '',
    smtpd_authorized_xclient_hosts: '127.0.0.1',
    ...own?.settings,
    ...settings,
  });
  const program = await startProgram(
    proxyConfig({
      listeners: [{ mode, auth }],
      backend: { address: postfix.port, identity: 'xclient', tls, 'tls-pin': own?.pin, modern },
      tls: { profile: 'ancient' },
    }),
    1,
  );
  t.teardown(async () => {
    await program.stop();
    postfix.stop();
  });
  return { postfix, program, port: program.ports.get('mx')! };
}

async function deliverModern(port: number, mode: Mode): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    localAddress: MODERN_CLIENT,
    secure: mode === 'implicit',
    requireTLS: mode === 'starttls',
    name: 'modern.example',
    tls: { rejectUnauthorized: false },
  });
  await transport.sendMail({ from: 'sender@modern.example', to: 'recipient@new.example', text: 'hello' });
  transport.close();
}

for (const one of CASES) {
  test(`by XCLIENT, tls = "${one.tls}", mode = "${one.mode}": Postfix has the addresses of old and new clients`, async (t) => {
    if (!hasPeer(t, 'postfix', postfixLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
    const { postfix, program, port } = await startBoth(t, one);
    const detour = await comeFrom(OLD_CLIENT, port);
    const jdk = startJobClient('jdk');
    const answer = await jdk.run({
      kind: 'mail',
      port: detour.port,
      mode: one.mode,
      protocols: 'SSLv2Hello,SSLv3',
      ciphers: 'SSL_RSA_WITH_RC4_128_MD5',
      helo: 'old.example',
      from: 'sender@old.example',
      to: 'recipient@new.example',
      file: makeMessage(20_000).file,
    });
    jdk.close();
    detour.close();
    t.match(answer, { ok: true, protocol: 'SSLv3' });
    const old = await postfix.nextMessage();
    t.match(old, new RegExp(`^Received: from old\\.example \\(unknown \\[${OLD_CLIENT}\\]\\)`, 'm'));
    await deliverModern(port, one.mode);
    const modern = await postfix.nextMessage();
    t.match(modern, new RegExp(`^Received: from modern\\.example \\(unknown \\[${MODERN_CLIENT}\\]\\)`, 'm'));
    if (one.tls !== 'none') t.match(modern, /with ESMTPS id/, "over Postfix's own TLS");
    const clients = [OLD_CLIENT, MODERN_CLIENT].map((address) => `client=unknown[${address}]`);
    const log = await logged(postfix, ...clients);
    t.match(log, clients[0], "Postfix logs the old client's address");
    t.match(log, clients[1], "and the modern one's");
    t.notMatch(log, /client=\S*\[127\.0\.0\.1\]/, 'and never that of the proxy');
    t.match(await program.nextConnection(), {
      client: { address: OLD_CLIENT },
      hello: { format: 'sslv2' },
      tls: { path: 'engine', version: 'SSLv3' },
      outcome: 'completed',
    });
    const path = one.tls === 'bridge' && one.modern === undefined ? 'passthrough' : 'native';
    t.match(await program.nextConnection(), { client: { address: MODERN_CLIENT }, tls: { path } });
  });
}

test("a client's own XCLIENT is believed neither by the proxy nor, behind it, by Postfix", async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  // Where logins are withheld the gate goes on reading, and Postfix never gets the second one.
  const { port } = await startBoth(t, { tls: 'none', mode: 'starttls', auth: 'always' });
  const [, ehlo, early, , , late] = await talk(
    port,
    [
      'EHLO modern.example',
      'XCLIENT NAME=trusted.example ADDR=127.0.0.1',
      'MAIL FROM:<a@modern.example>',
      'RSET',
      'XCLIENT NAME=trusted.example ADDR=127.0.0.1',
    ],
    MODERN_CLIENT,
  );
  t.notMatch(ehlo, /XCLIENT/);
  t.match(early, /^550 5\.7\.0 proxy\.example /);
  t.match(
    late,
    /^550 5\.7\.0 Error: insufficient authorization/,
    'the gate is gone, and Postfix itself says no',
  );
});

test('where Postfix would believe an XFORWARD of any client, no client reaches it', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  // It decides about XFORWARD at the connection, and does not think again after XCLIENT.
  const settings = { smtpd_authorized_xforward_hosts: '127.0.0.1' };
  const { program, port } = await startBoth(t, { tls: 'none', mode: 'starttls', settings });
  const [greeting] = await talk(port, [], MODERN_CLIENT);
  t.match(greeting, /^421 /);
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_trusts_clients' });
});

test('where Postfix does not accept XCLIENT, no byte of a client reaches it', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const settings = { smtpd_authorized_xclient_hosts: '192.0.2.1' };
  const { program, port, postfix } = await startBoth(t, { tls: 'none', mode: 'starttls', settings });
  const [greeting] = await talk(port, [], MODERN_CLIENT);
  t.match(greeting, /^421 4\.3\.0 proxy\.example /);
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_no_xclient' });
  const disconnect = 'disconnect from unknown[127.0.0.1] ehlo=1 commands=1';
  t.match(await logged(postfix, disconnect), disconnect);
});

test('a client that Postfix refuses receives its greeting, and 503 for its commands', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const { program, port } = await startBoth(t, {
    tls: 'none',
    mode: 'starttls',
    settings: {
      smtpd_delay_reject: 'no',
      smtpd_client_restrictions: `check_client_access inline:{{${MODERN_CLIENT} = REJECT not you}}`,
    },
  });
  const [greeting, mail, quit] = await talk(port, ['EHLO modern.example', 'QUIT'], MODERN_CLIENT);
  t.match(greeting, /^554 5\.7\.1 .*not you/);
  t.match(mail, /^503 /);
  t.match(quit, /^221 /);
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_unavailable' });
});
