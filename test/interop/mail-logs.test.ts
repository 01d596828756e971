/** `report` on the log that a real Postfix or Exim wrote, while clients of several ages visited it without oldhello. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { test } from 'tap';
import { LogReader } from '../../src/report/log-reader.js';
import { Tally, type Report } from '../../src/report/tally.js';
import { BACKEND_GUIDES } from '../../tools/docs/backend-guides.js';
import { OLDEST } from '../support/log-lines.js';
import { eximLack, startExim } from '../support/peers/exim.js';
import { postfixLack, postfixTls, startPostfix } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { TestClient } from '../support/test-client.js';

/** Begins TLS after STARTTLS with these bytes, and waits for the server to close. */
async function failWith(port: number, hello: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  await lines.next();
  socket.write('EHLO old.example\r\n');
  for (let reply = ''; !reply.startsWith('250 ');) reply = (await lines.next()).value as string;
  socket.write('STARTTLS\r\n');
  await lines.next();
  socket.write(hello);
  await once(socket.resume(), 'close');
}

async function send(port: number, version: 'TLSv1' | 'TLSv1.3' | undefined, to: string): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    name: 'sender.example',
    ...(version === undefined
      ? { ignoreTLS: true }
      : {
          requireTLS: true,
          tls: {
            minVersion: version,
            maxVersion: version,
            ciphers: 'ALL:@SECLEVEL=0',
            rejectUnauthorized: false,
          },
        }),
  });
  await transport.sendMail({ from: 'a@old.example', to, text: 'text' });
  transport.close();
}

async function visit(port: number, to: string): Promise<void> {
  await failWith(port, new TestClient(OLDEST).hello());
  await failWith(port, new TestClient({ version: 0x0301, suites: [4, 9] }).hello());
  for (const version of ['TLSv1', 'TLSv1.3', undefined] as const) await send(port, version, to);
}

function reportOf(log: string): Report {
  const tally = new Tally({ since: undefined, until: undefined });
  const reader = new LogReader();
  for (const line of log.split('\n')) if (line !== '') tally.add(reader.read(Buffer.from(line)));
  return tally.report(0);
}

/** The log is written behind the reply: asks again until it has all that is awaited, for a few seconds. */
async function reportWith(log: () => string, connections: number): Promise<Report> {
  for (let tries = 0; ; tries++) {
    const report = reportOf(log());
    if (report.connections >= connections || tries === 50) return report;
    await delay(100);
  }
}

test("Postfix's own log", async (t) => {
  if (!hasPeer(t, 'Postfix', postfixLack())) return;
  const postfix = await startPostfix({
    ...postfixTls().settings,
    smtpd_upstream_proxy_protocol: '',
    smtpd_tls_protocols: '>=TLSv1',
    smtpd_tls_ciphers: 'low',
    tls_low_cipherlist: 'ALL:@SECLEVEL=0',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    mynetworks: '127.0.0.1',
  });
  t.teardown(() => postfix.stop());
  await visit(postfix.port, 'r@new.example');
  const report = await reportWith(() => postfix.log(), 5);
  t.match(report, { connections: 5, withTls: 2, old: 1, plaintext: 1 });
  t.match(report.senders, [{ address: '127.0.0.1', version: 'TLSv1' }]);
  t.same(report.failures.map(({ reason }) => reason).sort(), ['no_shared_cipher', 'version_too_low']);
});

test("Exim's own log", async (t) => {
  if (!hasPeer(t, 'Exim', eximLack())) return;
  const tls = 'tls_require_ciphers = NORMAL:+VERS-TLS1.0';
  const exim = await startExim({ settings: tls, proxied: false });
  t.teardown(() => exim.stop());
  const backend = exim.backend(BACKEND_GUIDES.Exim.setups.plain);
  await visit(Number(/:(\d+)"/.exec(backend)![1]), 'r@new.example');
  for (let message = 0; message < 3; message++) await exim.nextMessage();
  // Exim's deliveries must be over before its folder goes.
  for (let tries = 0; exim.log().split(' Completed\n').length <= 3 && tries < 50; tries++) await delay(100);
  const report = await reportWith(() => exim.log(), 5);
  t.match(report, { withTls: 2, old: 1, plaintext: 1 });
  t.match(report.senders, [{ address: '127.0.0.1', helo: 'sender.example', version: 'TLSv1' }]);
  t.match(
    report.failures.find(({ reason }) => reason.includes('no_supported_cipher_suites')),
    { connections: 1, busiest: [{ helo: 'old.example' }] },
  );
});
