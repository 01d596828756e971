/** What goes wrong inside Node's TLS once the handshake is over ends the connection, and the log says so. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { hasPeer } from '../support/peers/require-peer.js';
import { startMailPath, type MailPath } from '../support/mail-path.js';

async function start(t: Test): Promise<MailPath> {
  const path = await startMailPath();
  t.teardown(() => path.stop());
  return path;
}

interface Client {
  readonly tls: TLSSocket;
  /** Beneath TLS. */
  readonly raw: Socket;
  readonly closed: Promise<unknown>;
}

/** @returns a client that was greeted */
async function greeted(port: number, options: ConnectionOptions): Promise<Client> {
  const raw = connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => undefined);
  const wire = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _, done) => void raw.write(bytes, done),
  });
  raw.on('data', (bytes: Buffer) => wire.push(bytes)).on('close', () => wire.destroy());
  const tls = connectTls({ ...options, socket: wire, rejectUnauthorized: false }).on(
    'error',
    () => undefined,
  );
  await once(tls, 'data');
  return { tls, raw, closed: once(raw, 'close') };
}

/** Far less than any timeout of the program, and more than a loaded machine needs. */
const SOON_MS = 10_000;

function within<T>(promise: Promise<T>): Promise<T | 'too late'> {
  const tooLate = new Promise<'too late'>((resolve) => setTimeout(resolve, SOON_MS, 'too late').unref());
  return Promise.race([promise, tooLate]);
}

/** The header of a record of application data, and what cannot be decrypted. */
const FORGED = Buffer.concat([Buffer.from('1703030040', 'hex'), Buffer.alloc(64, 7)]);

const BROKEN = {
  'a record that was not encrypted with our keys': FORGED,
  'a record that is longer than TLS allows': Buffer.from('170303ffff', 'hex'),
  'something else than TLS': Buffer.from('EHLO client.example\r\n'),
} as const;

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const [name, bytes] of Object.entries(BROKEN)) {
    test(`${name} ends a connection of ${version}`, async (t) => {
      const { program, port } = await start(t);
      const { raw, closed } = await greeted(port('implicit'), { minVersion: version, maxVersion: version });
      raw.write(bytes);
      t.not(await within(closed), 'too late', 'the client is let go');
      t.match(await program.nextConnection(), {
        outcome: 'tls_error',
        reason: /^ERR_SSL_/,
        tls: { path: 'native', version },
      });
    });
  }

  test(`a broken record of ${version} in the middle of a message delivers nothing`, async (t) => {
    const { program, port, sink } = await start(t);
    const { tls, raw, closed } = await greeted(port('implicit'), {
      minVersion: version,
      maxVersion: version,
    });
    for (const line of ['EHLO c.example', 'MAIL FROM:<a@a.example>', 'RCPT TO:<b@b.example>', 'DATA']) {
      tls.write(`${line}\r\n`);
      await once(tls, 'data');
    }
    tls.write('Subject: cut\r\n\r\n');
    raw.write(FORGED);
    t.not(await within(closed), 'too late', 'the client is let go');
    t.match(await program.nextConnection(), { outcome: 'tls_error' });
    t.same(sink.delivered, []);
  });
}

test('there is no renegotiation for a client that asks once', async (t) => {
  const { program, port } = await start(t);
  const { tls, closed } = await greeted(port('implicit'), { maxVersion: 'TLSv1.2' });
  const renegotiated = new Promise<boolean>((resolve) => {
    tls.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null));
    tls.once('close', () => resolve(false));
  });
  t.equal(await within(renegotiated), false);
  tls.destroy();
  t.not(await within(closed), 'too late');
  t.match(await program.nextConnection(), { tls: { path: 'native', version: 'TLSv1.2' } });
});

const PYTHON = fileURLToPath(new URL('../../.peers/venv/bin/python', import.meta.url));
const FLOOD = fileURLToPath(new URL('../support/peers/tls_flood.py', import.meta.url));

function missingTlslite(): string | undefined {
  return spawnSync(PYTHON, ['-c', 'import tlslite']).status === 0
    ? undefined
    : 'needs tlslite-ng in .peers/venv';
}

/** More than any client needs, and few enough for one that is not stopped to end soon. */
const MANY = 60_000;

for (const [kind, title] of [
  [
    'renegotiation',
    'a client that asks for renegotiation again and again, whatever it is answered, is let go',
  ],
  ['key_update', 'a client that changes its keys again and again is let go'],
] as const) {
  test(title, async (t) => {
    if (!hasPeer(t, 'tlslite-ng', missingTlslite())) return;
    const { program, port } = await start(t);
    const flood = promisify(execFile)(PYTHON, [FLOOD, String(port('implicit')), kind, String(MANY)]);
    const { stdout } = await flood;
    t.match(stdout.trim(), /^\d+$/, 'the server closes');
    t.match(await program.nextConnection(), { outcome: 'tls_error' });
    t.ok(Number(stdout) < MANY, `long before it is tired: after ${stdout.trim()}`);
  });
}
