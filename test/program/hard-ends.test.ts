/** Who is cut off, falls silent, drips, or never reads: the right reply, one session in the log, and no memory lost. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { encodeProxyV2 } from '../../src/proxy-protocol/v2.js';
import { openSockets, untilAnotherSocket } from '../support/open-sockets.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { serverHelloRecord } from '../support/server-hellos.js';
import { SmtpClient } from '../support/smtp-client.js';
import { TestClient } from '../support/test-client.js';

interface Setting {
  readonly limits?: Table;
  readonly listener?: Table;
  readonly identity?: 'proxy-v1' | 'xclient';
  readonly tls?: 'observe';
}

/** @param serve what the backend does with a connection, PROXY header included */
async function start(
  t: Test,
  serve: (socket: Socket) => void,
  { limits = {}, listener = {}, identity = 'proxy-v1', tls }: Setting = {},
): Promise<Program> {
  const backend = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const program = await startProgram(
    proxyConfig({
      listeners: [listener],
      backend: { address: (backend.address() as AddressInfo).port, identity, tls },
      limits,
    }),
    1,
  );
  t.teardown(async () => {
    await program.stop();
    backend.close();
  });
  return program;
}

/** A backend that answers each line as it is told to. @param reply undefined for nothing */
function answering(reply: (line: string, socket: Socket) => string | undefined): (socket: Socket) => void {
  return (socket) => {
    socket.write('220 mta.example\r\n');
    const lines = createInterface({ input: socket, crlfDelay: Infinity }).on('error', () => undefined);
    lines.on('line', (line) => {
      const answer = line.startsWith('PROXY ') ? undefined : reply(line, socket);
      if (answer !== undefined) socket.write(`${answer}\r\n`);
    });
    lines.on('close', () => socket.end()).on('error', () => undefined);
  };
}

const polite = answering(() => '250 2.0.0 ok');

function dial(program: Program): Socket {
  const socket = connect({
    port: program.ports.get('mx')!,
    host: '127.0.0.1',
    allowHalfOpen: true,
    noDelay: true,
  });
  return socket.on('error', () => undefined);
}

async function everything(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'end');
  socket.end();
  return text;
}

/** Sends a piece whenever the proxy has had time to read the one before, until the proxy closes. */
async function drip(socket: Socket, piece: string): Promise<string> {
  const text = everything(socket);
  let over = false;
  void text.then(() => (over = true));
  while (!over) {
    socket.write(piece);
    await pause(50);
  }
  return text;
}

test('commands that came with the end of the client, before the backend greeted, are all answered', async (t) => {
  let greet: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => {
    greet = resolve;
  });
  const program = await start(t, (socket) => {
    socket.once('data', greet);
    setTimeout(() => polite(socket), 200);
  });
  const socket = dial(program);
  socket.end('EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n');
  await connected;
  t.match(await everything(socket), /^220 .*\r\n250-.*\r\n250 STARTTLS\r\n250 .*\r\n250 .*\r\n$/);
  t.match(await program.nextConnection(), { outcome: 'plaintext', smtp: { helo: 'c.example' } });
});

test('a backend that resets the connection behind its answer to QUIT has not failed', async (t) => {
  let backend: Socket | undefined;
  const program = await start(
    t,
    answering((line, socket) => {
      backend = socket;
      return line === 'QUIT' ? '221 2.0.0 bye' : '250 2.0.0 ok';
    }),
  );
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  t.match(await client.reply(), /^220 /);
  for (const line of ['EHLO c.example', 'MAIL FROM:<a@b.example>']) await client.command(line);
  t.match(await client.command('QUIT'), /^221 /);
  backend!.resetAndDestroy();
  await client.closed();
  t.match(await program.nextConnection(), { outcome: 'plaintext' });
});

test('a client that resets the connection behind the answer to its QUIT has not failed', async (t) => {
  const program = await start(
    t,
    answering((line) => (line === 'QUIT' ? '221 2.0.0 bye' : '250 2.0.0 ok')),
  );
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  await client.reply();
  for (const line of ['EHLO c.example', 'QUIT']) await client.command(line);
  client.reset();
  t.match(await program.nextConnection(), { outcome: 'plaintext' });
});

test('whoever resets the connection in a handshake of the backend is named, whoever sent last', async (t) => {
  const hello = new TestClient({ version: 0x0301, suites: [0x002f] }).hello();
  const serve = (socket: Socket): void => {
    socket.on('data', (bytes) => {
      if (bytes.includes(hello)) socket.write(serverHelloRecord({ sessionId: 0, suite: 0x002f }));
      else if (bytes.includes('more')) socket.resetAndDestroy();
    });
  };
  for (const by of ['client', 'backend'] as const) {
    const program = await start(t, serve, { listener: { mode: 'implicit' }, tls: 'observe' });
    const client = dial(program);
    client.write(hello);
    await once(client, 'data');
    if (by === 'client') client.resetAndDestroy();
    else client.write('more');
    t.match(await program.nextConnection(), { outcome: 'passthrough_failed', reason: `closed_by_${by}` });
  }
});

test('a client whose backend breaks off receives 421', async (t) => {
  for (const how of ['end', 'resetAndDestroy'] as const) {
    const early = await start(t, (socket) => socket.once('data', () => socket[how]()));
    t.match(await everything(dial(early)), /^421 4\.3\.0 /, `${how} instead of a greeting`);
    t.match(await early.nextConnection(), { outcome: 'backend_failed', reason: 'backend_closed' });

    const half = answering((line, socket) => {
      if (line.startsWith('EHLO')) return '250 mta.example';
      socket.write('250-half a', () => socket[how]());
      return undefined;
    });
    const late = await start(t, half);
    const client = await SmtpClient.connect(late.ports.get('mx')!);
    await client.reply();
    await client.command('EHLO c.example');
    t.match(await client.command('NOOP'), /^421 4\.3\.0 /, `${how} in the middle of a reply`);
    await client.closed();
    client.destroy();
    t.match(await late.nextConnection(), { outcome: 'backend_failed', reason: 'backend_gone' });
  }
});

test('behind STARTTLS, the refusal of a backend that closes at once reaches the client', async (t) => {
  let sessions = 0;
  const program = await start(t, (socket) => {
    sessions += 1;
    if (sessions === 1) polite(socket);
    else socket.end('421 4.3.2 mta.example too busy\r\n');
  });
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  await client.reply();
  await client.command('EHLO c.example');
  await client.command('STARTTLS');
  await client.secure();
  t.match(await client.reply(), /^421 4\.3\.2 mta\.example too busy/);
  client.destroy();
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_unavailable' });
});

test('last words under TLS are not overtaken by a reset, though the client has spoken meanwhile', async (t) => {
  let sessions = 0;
  let second: (socket: Socket) => void;
  const silent = new Promise<Socket>((resolve) => (second = resolve));
  const program = await start(t, (socket) => {
    sessions += 1;
    if (sessions === 1) polite(socket);
    else second(socket);
  });
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  await client.reply();
  await client.command('EHLO old.example');
  await client.command('STARTTLS');
  await client.secureLikeOld({ version: 0x0301, suites: [0x002f] });
  client.write('EHLO old.example\r\n');
  (await silent).end();
  t.match(await client.reply(), /^421 4\.3\.0 /);
  client.write('QUIT\r\n');
  t.equal(await client.gone, undefined);
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_closed' });
});

test('a backend that never greets times out once, also with XCLIENT', async (t) => {
  const limits = { 'greeting-timeout': '300ms' };
  const program = await start(t, () => undefined, { limits, identity: 'xclient' });
  const text = await everything(dial(program));
  t.match(text, /^421 4\.3\.0 /);
  t.match(await program.nextConnection(), { outcome: 'backend_timeout', bytes: { toClient: text.length } });
});

test('a timeout of the client and one of the backend are different outcomes', async (t) => {
  const limits = { 'command-timeout': '1s', 'idle-timeout': '1s' };
  const program = await start(
    t,
    answering((line) => (line === 'VRFY x' ? undefined : '250 ok')),
    { limits },
  );
  const silent = await SmtpClient.connect(program.ports.get('mx')!);
  await silent.reply();
  t.match(await silent.reply(), /^421 4\.4\.2 /, 'a client that says nothing');
  silent.destroy();
  t.match(await program.nextConnection(), { outcome: 'client_timeout', reason: 'idle' });

  const waiting = await SmtpClient.connect(program.ports.get('mx')!);
  await waiting.reply();
  t.match(await waiting.command('VRFY x'), /^421 4\.3\.0 /, 'a backend that does not answer');
  waiting.destroy();
  t.match(await program.nextConnection(), { outcome: 'backend_timeout', reason: 'backend_reply_timeout' });

  const sender = await SmtpClient.connect(program.ports.get('mx')!);
  await sender.reply();
  await sender.command('EHLO c.example');
  await sender.command('MAIL FROM:<a@b.example>');
  t.match(await sender.reply(), /^421 4\.4\.2 /, 'a client that stops between commands of its mail');
  sender.destroy();
  t.match(await program.nextConnection(), { outcome: 'client_timeout', reason: 'idle' });
});

test('a slow drip does not extend the timeout', async (t) => {
  const program = await start(t, polite, { limits: { 'command-timeout': '500ms' } });
  t.match(await drip(dial(program), 'x'), /421 4\.4\.2 /, 'bytes that are no line');
  t.match(await program.nextConnection(), { outcome: 'client_timeout', reason: 'idle' });

  const mute = await start(t, () => undefined, { limits: { 'greeting-timeout': '500ms' } });
  t.match(await drip(dial(mute), 'NOOP\r\n'), /^421 4\.3\.0 /, 'commands before a greeting that never comes');
  t.match(await mute.nextConnection(), { outcome: 'backend_timeout' });

  const teaser = await start(t, (socket) => void socket.write('220-wait for it\r\n'), {
    limits: { 'greeting-timeout': '300ms', 'command-timeout': '5s' },
  });
  t.match(await everything(dial(teaser)), /^421 4\.3\.0 /, 'half a greeting is none');
  t.match(await teaser.nextConnection(), { outcome: 'backend_timeout' });
});

test('a client that floods with commands that we refuse ourselves gets 20 errors and 421', async (t) => {
  const program = await start(t, polite);
  const socket = dial(program);
  await once(socket, 'data');
  socket.write('XCLIENT ADDR=127.0.0.1\r\n'.repeat(2000));
  const text = await everything(socket);
  t.match(text, /^(?:550 5\.7\.0 [^\r]*\r\n){20}421 4\.7\.0 [^\r]*\r\n$/);
  t.match(await program.nextConnection(), { outcome: 'smtp_refused', reason: 'too_many_errors' });
});

test('what one side does not take is kept up to max-buffered-bytes, and then the other is not read', async (t) => {
  let backend: Socket | undefined;
  const deaf = answering((line, socket) => {
    if (line.startsWith('MAIL')) backend = socket.pause();
    return '250 ok';
  });
  for (const [limit, attempts] of [
    [16_384, 200],
    [2 * ENOUGH, Infinity],
  ] as const) {
    const limits = { 'max-buffered-bytes': limit };
    for (const direction of ['to the backend', 'to the client'] as const) {
      const program = await start(t, deaf, { limits, listener: { auth: 'always' } });
      const client = dial(program);
      for (const line of ['HELO c.example', 'MAIL FROM:<a@b.example>']) {
        await once(client, 'data');
        client.write(`${line}\r\n`);
      }
      await once(client, 'data');
      client.pause();
      const taken = await pour(direction === 'to the backend' ? client : backend!, FLOOD, attempts);
      t.equal(taken >= ENOUGH, limit > ENOUGH, `${limit} ${direction}: it took ${taken} bytes`);
      client.destroy();
      backend!.destroy();
    }
  }
});

test('a backend that closes in order in the middle of a message is logged as gone', async (t) => {
  const leaving = answering((line, socket) => {
    if (line === 'half a message') socket.end();
    return line === 'DATA' ? '354 go ahead' : '250 ok';
  });
  const program = await start(t, leaving, { listener: { auth: 'always' } });
  const client = dial(program);
  for (const line of ['HELO c.example', 'MAIL FROM:<a@b.example>', 'DATA', 'half a message']) {
    await once(client, 'data');
    client.write(`${line}\r\n`);
  }
  await once(client.resume(), 'end');
  client.end();
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_gone' });
});

test('a load balancer that comes too late, or goes away, is one session in the log', async (t) => {
  const listener = { 'proxy-protocol': ['127.0.0.0/8'] };
  const header = encodeProxyV2({
    command: 'PROXY',
    source: { address: '192.0.2.7', port: 4000 },
    destination: { address: '192.0.2.1', port: 25 },
  });
  const program = await start(t, polite, { listener, limits: { 'proxy-header-timeout': '200ms' } });
  const late = dial(program);
  await once(late, 'end');
  late.write(header);
  await pause(0);
  late.end('EHLO c.example\r\n');
  t.match(await program.nextConnection(), { outcome: 'bad_proxy_header', reason: 'no header in time' });
  t.equal(program.log.filter(({ event }) => event === 'connection_opened').length, 0, 'it is too late');

  const patient = await start(t, polite, { listener });
  const looking = dial(patient);
  looking.end();
  await once(looking.resume(), 'close');
  t.match(await patient.nextConnection(), { outcome: 'client_gone', reason: 'waiting for proxy_header' });
  const before = openSockets(patient.pid);
  const reset = dial(patient);
  await untilAnotherSocket(patient.pid, before);
  reset.resetAndDestroy();
  t.match(await patient.nextConnection(), { outcome: 'client_gone', reason: 'waiting for proxy_header' });
});

test('clients of IPv4 that a load balancer names in IPv6 are counted one by one', async (t) => {
  const program = await start(t, polite, {
    listener: { 'proxy-protocol': ['127.0.0.0/8'] },
    limits: { 'max-connections-per-address': 1 },
  });
  const clients = ['::ffff:192.0.2.7', '::ffff:192.0.2.8'].map((address) => {
    const socket = dial(program);
    socket.write(`PROXY TCP6 ${address.replace(/[\d.]+$/, (v4) => hexGroups(v4))} 2001:db8::1 4000 25\r\n`);
    return socket;
  });
  for (const socket of clients) {
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    t.match(greeting.toString(), /^220 /);
  }
  for (const socket of clients) socket.destroy();
  const addresses = [await program.nextConnection(), await program.nextConnection()].map(
    ({ client }) => client.address,
  );
  t.same(addresses.sort(), ['192.0.2.7', '192.0.2.8']);
});

function hexGroups(v4: string): string {
  const hex = Buffer.from(v4.split('.').map(Number)).toString('hex');
  return `${hex.slice(0, 4)}:${hex.slice(4)}`;
}

/** Writes until ENOUGH is taken, or nothing was for `attempts` times five milliseconds. @returns the bytes taken */
async function pour(socket: Socket, chunk: Buffer, attempts: number): Promise<number> {
  let written = 0;
  for (let idle = 0; written < ENOUGH && idle < attempts; idle += 1) {
    if (socket.writableNeedDrain) {
      await pause(5);
      continue;
    }
    socket.write(chunk);
    written += chunk.length;
    idle = 0;
  }
  return written;
}

/** Bytes: more than the buffers of two kernels and of Node hold. */
const ENOUGH = 100_000_000;
const FLOOD = Buffer.alloc(250_000, 'x');
