/** What goes wrong: the right answer, one log line, nobody else disturbed, and no socket left behind. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { createTransport } from 'nodemailer';
import { test, type Test } from 'tap';
import { startMailPath, type MailPath } from '../support/mail-path.js';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import { startProgram } from '../support/program.js';
import { BOTH_MODES, proxyConfig, type Table } from '../support/proxy-config.js';

/** An SSLv2-format hello: TLS 1.0, AES128-SHA, a challenge of 16 bytes (RFC 5246, E.2). */
const HELLO = Buffer.from('801c01030100030000001000002f0102030405060708090a0b0c0d0e0f10', 'hex');

interface Answer {
  readonly bytes: Buffer;
  readonly text: string;
}

/** Sends what it is given and returns everything that comes until the other side closes. */
async function exchange(port: number, ...chunks: (string | Buffer)[]): Promise<Answer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  for (const chunk of chunks) socket.write(chunk);
  await once(socket, 'end');
  socket.destroy();
  const bytes = Buffer.concat(received);
  return { bytes, text: bytes.toString('latin1') };
}

/** Reads until what came matches. */
async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let text = '';
  while (!pattern.test(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString('latin1');
  }
  return text;
}

async function stillServes(t: Test, path: MailPath): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: path.port('starttls'),
    requireTLS: true,
    tls: { rejectUnauthorized: false },
  });
  await transport.sendMail({ from: 'a@b.example', to: 'c@d.example', text: 'x' });
  transport.close();
  t.match(await path.program.nextConnection(), { outcome: 'completed' }, 'others are served as before');
}

test('on the implicit port, what is not TLS gets the answer its sender can read', async (t) => {
  const path = await startMailPath();
  t.teardown(() => path.stop());
  await stillServes(t, path);
  const before = openSockets(path.program.pid);
  const port = path.port('implicit');

  t.match((await exchange(port, 'EHLO client.example\r\n')).text, /^554 5\.5\.0 .*TLS/);
  t.match(await path.program.nextConnection(), { outcome: 'not_tls', reason: 'plaintext', fault: 'client' });

  t.equal(
    (await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).text,
    '',
    'HTTP gets nothing it could execute',
  );
  t.match(await path.program.nextConnection(), { outcome: 'not_tls', reason: 'plaintext' });

  t.equal((await exchange(port, Buffer.from('0102030405060708', 'hex'))).text, '');
  t.match(await path.program.nextConnection(), { outcome: 'not_tls', reason: 'garbage' });

  const pure = Buffer.from('801c0100020003000000100100800102030405060708090a0b0c0d0e0f10', 'hex');
  t.equal(
    (await exchange(port, pure)).bytes.toString('hex'),
    '8003000001',
    'SSL 2.0: NO-CIPHER-ERROR in its own words',
  );
  t.match(await path.program.nextConnection(), { outcome: 'not_tls', reason: 'pure_sslv2' });

  const noShare = Buffer.from('801f0103010006000000100000030000060102030405060708090a0b0c0d0e0f10', 'hex');
  t.equal(
    (await exchange(port, noShare)).bytes.toString('hex'),
    '15030100020228',
    'EXPORT only: handshake_failure',
  );
  t.match(await path.program.nextConnection(), {
    outcome: 'handshake_refused',
    reason: 'no_shared_cipher_suite',
    alert: 'handshake_failure',
    hello: { format: 'sslv2', version: 'TLSv1' },
    explanation: /the client offers only/,
  });

  const badLengths = Buffer.from('801f0103010007000000100000030000060102030405060708090a0b0c0d0e0f10', 'hex');
  t.equal((await exchange(port, badLengths)).bytes.toString('hex'), '15030100020232', 'decode_error');
  t.match(await path.program.nextConnection(), {
    outcome: 'handshake_refused',
    reason: 'malformed_sslv2_hello',
  });

  await untilNoOtherSocket(path.program.pid, before);
  await stillServes(t, path);
});

test('a client that stops half-way through its hello is let go when its time is up', async (t) => {
  const path = await startMailPath({ limits: { 'handshake-timeout': '2s' } });
  t.teardown(() => path.stop());
  await stillServes(t, path);
  const before = openSockets(path.program.pid);
  const { bytes } = await exchange(path.port('implicit'), HELLO.subarray(0, 20));
  t.equal(bytes.length, 0);
  t.match(await path.program.nextConnection(), {
    outcome: 'client_timeout',
    reason: /client_hello/,
    fault: 'client',
  });
  await untilNoOtherSocket(path.program.pid, before);
});

test('a client that vanishes in the middle of a message leaves nothing behind', async (t) => {
  const path = await startMailPath();
  t.teardown(() => path.stop());
  await stillServes(t, path);
  const before = openSockets(path.program.pid);
  for (const how of ['reset', 'end'] as const) {
    const socket = connect(path.port('starttls'), '127.0.0.1');
    await readUntil(socket, /^220 /m);
    socket.write('EHLO x\r\n');
    await readUntil(socket, /^250 /m);
    socket.write('MAIL FROM:<a@b.example>\r\n');
    await readUntil(socket, /^250 /m);
    socket.write('RCPT TO:<c@d.example>\r\n');
    await readUntil(socket, /^250 /m);
    socket.write('DATA\r\n');
    await readUntil(socket, /^354 /m);
    // With something unread before it, a reset would be an ordinary end to Node (libuv takes POLLHUP for one).
    if (how === 'reset') socket.resetAndDestroy();
    else socket.end('half a mess');
    const session = await path.program.nextConnection();
    t.equal(session.bytes.fromClient > 0, true);
    t.match(session, { outcome: how === 'reset' ? 'client_gone' : 'plaintext', smtp: { helo: 'x' } });
    socket.destroy();
  }
  await untilNoOtherSocket(path.program.pid, before);
  await stillServes(t, path);
});

test('bytes pipelined behind STARTTLS are refused and never executed', async (t) => {
  const path = await startMailPath();
  t.teardown(() => path.stop());
  const { text } = await exchange(
    path.port('starttls'),
    'EHLO x\r\n',
    'STARTTLS\r\nMAIL FROM:<evil@b.example>\r\n',
  );
  t.match(text, /^554 5\.5\.0 /m);
  t.notMatch(text, /^220 2/m, 'no 220 for STARTTLS');
  t.match(await path.program.nextConnection(), {
    outcome: 'smtp_refused',
    reason: 'starttls_pipelined',
    fault: 'client',
  });
});

/** A program whose backend is whatever listens on `port`. */
async function startInFrontOf(port: number, limits: Table = {}): ReturnType<typeof startProgram> {
  return startProgram(
    proxyConfig({ listeners: BOTH_MODES, backend: { address: port }, limits }),
    BOTH_MODES.length,
  );
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('with the backend down, a client receives 421 in clear, and 421 inside TLS', async (t) => {
  const closed = createServer();
  const port = await listening(closed);
  closed.close();
  const program = await startInFrontOf(port);
  t.teardown(() => program.stop());
  const { text } = await exchange(program.ports.get('starttls')!);
  t.match(text, /^421 4\.3\.0 proxy\.example /);
  t.match(await program.nextConnection(), {
    outcome: 'backend_failed',
    reason: 'backend_unreachable',
    fault: 'backend',
  });

  const transport = createTransport({
    host: '127.0.0.1',
    port: program.ports.get('implicit')!,
    secure: true,
    tls: { rejectUnauthorized: false },
  });
  const refusal: unknown = await transport
    .sendMail({ from: 'a@b.example', to: 'c@d.example' })
    .catch((error: unknown) => error);
  t.match(refusal, { responseCode: 421 });
  const session = await program.nextConnection();
  t.match(session, { outcome: 'backend_failed', tls: { path: 'native' } });
  t.match(session.explanation, `backend mta (127.0.0.1:${port})`);
});

test('with a backend that hangs, the client receives 421 after the greeting timeout', async (t) => {
  const silent = createServer();
  const port = await listening(silent);
  const program = await startInFrontOf(port, { 'greeting-timeout': '300ms' });
  t.teardown(async () => {
    await program.stop();
    silent.close();
  });
  const { text } = await exchange(program.ports.get('starttls')!);
  t.match(text, /^421 4\.3\.0 proxy\.example /);
  t.match(await program.nextConnection(), { outcome: 'backend_timeout', reason: 'backend_greeting_timeout' });
});

test('a backend that closes before it greets is not mistaken for a client that left', async (t) => {
  const hasty = createServer((socket) => socket.end());
  const port = await listening(hasty);
  const program = await startInFrontOf(port);
  t.teardown(async () => {
    await program.stop();
    hasty.close();
  });
  const { text } = await exchange(program.ports.get('starttls')!);
  t.match(text, /^421 4\.3\.0 /);
  t.match(await program.nextConnection(), {
    outcome: 'backend_failed',
    reason: 'backend_closed',
    fault: 'backend',
  });
});

test('what a backend sends that is no SMTP reply does not reach the client', async (t) => {
  const babbling = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const port = await listening(babbling);
  const program = await startInFrontOf(port);
  t.teardown(async () => {
    await program.stop();
    babbling.close();
  });
  const { text } = await exchange(program.ports.get('starttls')!);
  t.match(text, /^421 4\.3\.0 /);
  t.notMatch(text, /HTTP/);
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'reply_malformed' });
});

test('over the limit, a client receives 421 4.7.0 and there is a log line', async (t) => {
  const path = await startMailPath({ limits: { 'max-connections-per-address': 1 } });
  t.teardown(() => path.stop());
  const first = connect(path.port('starttls'), '127.0.0.1');
  await readUntil(first, /^220 /m);
  const { text } = await exchange(path.port('starttls'));
  t.match(text, /^421 4\.7\.0 proxy\.example too many connections/);
  t.match(await path.program.nextConnection(), {
    outcome: 'limit_exceeded',
    reason: 'max-connections-per-address',
  });
  first.end('QUIT\r\n');
  await once(first.resume(), 'close');
  t.match(await path.program.nextConnection(), { outcome: 'plaintext' });
  await stillServes(t, path);
});
