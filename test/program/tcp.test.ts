/** mode = "tcp": TLS from the first byte, and inside it whatever the client and the backend speak. */
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, TLSSocket } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { decodeProxyHeader } from '../../src/proxy-protocol/decode.js';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { refusedStart, startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';
import type { TestClient } from '../support/test-client.js';

const OLD = { format: 'sslv2', version: 0x0301, suites: [0x002f] } as const;

interface Backend {
  readonly port: number;
  /** The next connection that was not asked for yet. */
  readonly next: () => Promise<Socket>;
}

/** Each connection is half-open: it ends when the test ends it. */
async function startBackend(t: Test, path?: string): Promise<Backend> {
  const sockets: Socket[] = [];
  const arrivals = new EventEmitter();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => undefined));
    arrivals.emit('one');
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  let asked = 0;
  return {
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    async next() {
      const index = asked++;
      while (sockets.length <= index) await once(arrivals, 'one');
      return sockets[index]!;
    },
  };
}

async function start(
  t: Test,
  port: number,
  { limits, backend }: { limits?: Table; backend?: Table } = {},
): Promise<Program> {
  const program = await startProgram(
    proxyConfig({
      listeners: [{ name: 'any', mode: 'tcp' }],
      backend: { address: port, identity: 'none', 'acknowledge-relay-risk': true, ...backend },
      tls: { profile: 'ancient' },
      ...(limits && { limits }),
    }),
    1,
  );
  t.teardown(() => program.stop());
  return program;
}

async function modern(program: Program, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<TLSSocket> {
  const port = program.ports.get('any')!;
  const client = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion,
    allowHalfOpen: true,
  } as object);
  await once(client, 'secureConnect');
  return client.on('error', () => undefined);
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

test('bytes pass both ways as they are, behind a PROXY header, for old clients and modern ones', async (t) => {
  const backend = await startBackend(t);
  const program = await start(t, backend.port, { backend: { identity: 'proxy-v2' } });

  const old = await SmtpClient.connect(program.ports.get('any')!);
  await old.secureLikeOld(OLD);
  old.write('STARTTLS\nMAIL');
  const server = await backend.next();
  let seen = Buffer.alloc(0);
  while (!seen.includes('MAIL')) seen = Buffer.concat([seen, ((await once(server, 'data')) as [Buffer])[0]]);
  const decoded = decodeProxyHeader(seen);
  if (!('consumed' in decoded)) throw new Error('no whole header');
  t.match(decoded.header, { source: { address: '127.0.0.1', port: old.localPort! } });
  t.equal(seen.subarray(decoded.consumed).toString(), 'STARTTLS\nMAIL', 'nothing is read or changed');
  server.end('220 \0 any thing');
  await old.closed();
  t.equal(old.received, '220 \0 any thing');
  server.destroy();
  const closed = await program.nextConnection();
  t.match(closed, {
    listener: 'any',
    outcome: 'completed',
    hello: { format: 'sslv2' },
    tls: { path: 'engine', version: 'TLSv1' },
    bytes: { fromClient: 13, toClient: 15 },
  });
  t.notOk('smtp' in closed, 'there is no HELO name');

  const client = await modern(program);
  const second = await backend.next();
  client.write('hello');
  second.end('bye');
  t.equal((await readAll(client)).toString(), 'bye', 'the end of the backend is the end for the client');
  client.destroy();
  t.match(await program.nextConnection(), {
    outcome: 'completed',
    tls: { path: 'native', version: 'TLSv1.3' },
  });
});

test('a client that ends its side still gets what the backend has for it, where its TLS has half-closes', async (t) => {
  const backend = await startBackend(t);
  const program = await start(t, backend.port);
  const client = await modern(program);
  const received = readAll(client);
  client.end('question');
  const server = await backend.next();
  t.equal((await readAll(server)).toString(), 'question', 'the end is passed on');
  server.end('answer');
  t.equal((await received).toString(), 'answer');
  t.match(await program.nextConnection(), { outcome: 'completed' });

  // RFC 5246, 7.2.1: the answer to close_notify is close_notify, at once.
  const old = await SmtpClient.connect(program.ports.get('any')!);
  const tls = await old.secureLikeOld(OLD);
  old.send(Buffer.concat([tls.seal(23, Buffer.from('question')), tls.seal(21, Buffer.from([1, 0]))]));
  const other = await backend.next();
  t.equal((await readAll(other)).toString(), 'question');
  await old.closed();
  t.match(tls.alerts.at(-1), { level: 1, description: 0 });
  other.end();
  t.match(await program.nextConnection(), { outcome: 'completed' });
});

test('a cut is not made to look like an end', async (t) => {
  const backend = await startBackend(t);
  const program = await start(t, backend.port);
  const old = await SmtpClient.connect(program.ports.get('any')!);
  const tls = await old.secureLikeOld(OLD);
  const server = await backend.next();
  server.write('half of');
  while (old.received === '') await pause(5);
  server.resetAndDestroy();
  await old.gone;
  t.same(tls.alerts, [], 'no close_notify');
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'ECONNRESET' });
});

test('what a client sent before it closed reaches a backend that was not open yet', async (t) => {
  const backend = await startBackend(t);
  const folder = t.testdir();
  const { keyPem, chainPem } = selfSignedCredential(folder, 'backend.example');
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, chainPem);
  const program = await start(t, backend.port, {
    backend: { tls: 'implicit', 'tls-ca': ca, 'tls-name': 'backend.example' },
  });
  const old = await SmtpClient.connect(program.ports.get('any')!);
  const tls = await old.secureLikeOld(OLD);
  const raw = await backend.next();
  old.send(Buffer.concat([tls.seal(23, Buffer.from('log line\n')), tls.seal(21, Buffer.from([1, 0]))]));
  await old.gone;
  // Only now does the backend take part in the handshake that the proxy waits for.
  const server = new TLSSocket(raw, { isServer: true, key: keyPem, cert: chainPem });
  t.equal((await readAll(server)).toString(), 'log line\n');
  server.end();
  t.match(await program.nextConnection(), { outcome: 'completed', bytes: { fromClient: 9 } });

  const quiet = await modern(program);
  const banner = readAll(quiet);
  quiet.end();
  const second = new TLSSocket(await backend.next(), { isServer: true, key: keyPem, cert: chainPem });
  second.end('* OK ready');
  t.equal((await banner).toString(), '* OK ready', 'and a client that sends nothing still gets the banner');
  t.match(await program.nextConnection(), { outcome: 'left_after_handshake' });
});

test('a reset or damaged client is a reset for the backend, and no end', async (t) => {
  const backend = await startBackend(t);
  const program = await start(t, backend.port);
  const damages: [outcome: string, answer: string, damage: (client: SmtpClient, tls: TestClient) => void][] =
    [
      ['client_gone', '', (client) => client.reset()],
      ['completed', '100 go on', (client) => client.reset()],
      ['tls_error', '', (client, tls) => client.send(tls.seal(23, Buffer.from('x')).fill(0, 5))],
    ];
  for (const [outcome, answer, damage] of damages) {
    const old = await SmtpClient.connect(program.ports.get('any')!);
    const tls = await old.secureLikeOld(OLD);
    const server = await backend.next();
    old.send(tls.seal(23, Buffer.from('half of')));
    await once(server, 'data');
    server.write(answer);
    while (old.received !== answer) await pause(5);
    const events: string[] = [];
    server
      .on('error', ({ code }: NodeJS.ErrnoException) => events.push(code!))
      .on('end', () => events.push('end'));
    const gone = new Promise((resolve) => server.resume().on('close', resolve));
    damage(old, tls);
    await gone;
    t.same(events, ['ECONNRESET'], outcome);
    t.match(await program.nextConnection(), { outcome });
    old.destroy();
  }
});

test('a client that resets ends its session with a backend on a Unix socket, and nothing else', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'oldhello-unix-')), 'backend');
  const backend = await startBackend(t, path);
  const program = await start(t, 0, { backend: { address: `unix:${path}` } });
  const old = await SmtpClient.connect(program.ports.get('any')!);
  const tls = await old.secureLikeOld(OLD);
  const server = await backend.next();
  old.send(tls.seal(23, Buffer.from('half of')));
  await once(server, 'data');
  const gone = once(server.resume(), 'end');
  old.reset();
  await gone;
  t.match(await program.nextConnection(), { outcome: 'client_gone' });
  const live = await SmtpClient.connect(program.ports.get('any')!);
  await live.secureLikeOld(OLD);
  await backend.next();
  program.signal('SIGTERM');
  await live.closed();
  t.equal(await program.exited, 0);
});

test('a side that does not read holds up the other, and what is kept for it is bounded', async (t) => {
  const backend = await startBackend(t);
  const program = await start(t, backend.port);
  const megabytes = Buffer.alloc(32 * 2 ** 20);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await modern(program, version);
    client.pause();
    const server = await backend.next();
    server.write(megabytes);
    let left = server.writableLength;
    do {
      left = server.bytesWritten;
      await pause(300);
    } while (server.bytesWritten > left);
    t.ok(server.writableLength > 16 * 2 ** 20, `${version}: most of it is still with the backend`);
    const received = readAll(client);
    server.end();
    t.equal((await received).length, megabytes.length, 'and all of it comes when it is read');
    client.destroy();
    await program.nextConnection();

    const writer = await modern(program, version);
    const reader = await backend.next();
    reader.pause();
    writer.write(megabytes);
    let written = -1;
    do {
      written = reader.bytesRead;
      await pause(300);
    } while (reader.bytesRead > written);
    t.ok(writer.writableLength > 16 * 2 ** 20, `${version}: most of it is still with the client`);
    const arrived = readAll(reader);
    writer.end();
    t.equal((await arrived).length, megabytes.length);
    reader.end();
    await program.nextConnection();
    writer.destroy();
  }
});

test('no SMTP is sent, whatever goes wrong', async (t) => {
  const backend = await startBackend(t);
  const limits = { 'shutdown-timeout': '100ms', 'tcp-idle-timeout': '300ms' };
  const program = await start(t, 1);
  for (const secure of [true, false]) {
    const client = await SmtpClient.connect(program.ports.get('any')!);
    if (secure) await client.secureLikeOld(OLD);
    else client.write('EHLO old.example\r\n');
    await client.closed();
    t.equal(client.received, '');
    t.match(
      await program.nextConnection(),
      secure
        ? { outcome: 'backend_failed', reason: 'backend_unreachable' }
        : { outcome: 'not_tls', reason: 'plaintext' },
    );
  }
  const other = await start(t, backend.port, { limits });
  const idle = await SmtpClient.connect(other.ports.get('any')!);
  await idle.secureLikeOld(OLD);
  await idle.closed();
  t.match(await other.nextConnection(), { outcome: 'client_timeout', reason: 'idle' });
  const late = await SmtpClient.connect(other.ports.get('any')!);
  await late.secureLikeOld(OLD);
  other.signal('SIGTERM');
  await late.closed();
  t.equal(await other.exited, 0);
  t.match(await other.nextConnection(), { outcome: 'shutdown' });
  t.equal(idle.received + late.received, '');
});

test('what is about SMTP is refused for a listener of another protocol, with its place', async (t) => {
  const say = async (listener: Table, backend: Table = {}): Promise<string> =>
    refusedStart(proxyConfig({ listeners: [{ name: 'imaps', mode: 'tcp', ...listener }], backend }));
  t.match(
    await say({ auth: 'tls' }),
    /toml:9: listener\[0\]\.auth: is about SMTP, which mode = "tcp" does not read/,
  );
  t.match(await say({ 'bare-lf': 'reject' }), /toml:9: listener\[0\]\.bare-lf: is about SMTP/);
  t.match(
    await say({}, { identity: 'xclient' }),
    /backend\[0\]\.identity: "xclient" is a command of SMTP, and cannot be sent for listener "imaps" with mode = "tcp"/,
  );
  t.match(await say({}, { tls: 'starttls' }), /backend\[0\]\.tls: "starttls" is a command of SMTP/);
  t.match(await say({}, { identity: 'none' }), /backend\[0\]\.identity: with "none"/);
});
