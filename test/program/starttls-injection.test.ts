/** STARTTLS injection on real sockets: what a man in the middle puts behind STARTTLS is never executed, by anybody. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { test, type Test } from 'tap';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';

interface Backend {
  readonly port: number;
  /** Every line that any session brought, PROXY headers aside. */
  readonly heard: string[];
  close(): void;
}

/** An SMTP server that says yes to everything. @param afterStarttls what it sends behind 220, in the same packet */
async function startBackend(afterStarttls = ''): Promise<Backend> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.write('220 mta.example ESMTP\r\n');
    const lines = createInterface({ input: socket, crlfDelay: Infinity });
    // A reset is told to both.
    for (const told of [socket, lines]) told.on('error', () => undefined);
    lines.on('line', (line) => {
      if (line.startsWith('PROXY ')) return;
      heard.push(line);
      if (line.startsWith('EHLO')) socket.write('250-mta.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n');
      else if (line === 'STARTTLS') socket.write(`220 go ahead\r\n${afterStarttls}`);
      else socket.write('250 2.0.0 done\r\n');
      if (line === 'QUIT') socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, heard, close: () => server.close() };
}

async function startBoth(t: Test, tls: 'none' | 'bridge', afterStarttls = ''): Promise<[Backend, Program]> {
  const backend = await startBackend(afterStarttls);
  const program = await startProgram(
    proxyConfig({ backend: { address: backend.port, identity: 'proxy-v1', tls } }),
    1,
  );
  t.teardown(async () => {
    await program.stop();
    backend.close();
  });
  return [backend, program];
}

/** A client that has said EHLO, and what it reads from then on. */
async function afterEhlo(
  program: Program,
): Promise<{ socket: Socket; text: () => string; ended: Promise<unknown> }> {
  const socket = connect({ port: program.ports.get('mx')!, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.on('error', () => undefined);
  socket.write('EHLO client.example\r\n');
  // Who goes on sending may find the connection reset behind the reply.
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (/^250 /m.test(text)) resolve();
    });
  });
  text = '';
  return { socket, text: () => text, ended };
}

for (const tls of ['none', 'bridge'] as const) {
  test(`tls = "${tls}": a command in the same packet as STARTTLS gets one refusal and no reply`, async (t) => {
    const [backend, program] = await startBoth(t, tls);
    const client = await afterEhlo(program);
    client.socket.write('STARTTLS\r\nNOOP\r\n');
    await client.ended;
    t.match(client.text(), /^554 5\.5\.0 [^\r]*\r\n$/, 'a second reply would convict us');
    t.match(await program.nextConnection(), { outcome: 'smtp_refused', reason: 'starttls_pipelined' });
    t.same(backend.heard, ['EHLO client.example']);
  });

  test(`tls = "${tls}": bytes that drip in behind STARTTLS are executed by nobody`, async (t) => {
    const [backend, program] = await startBoth(t, tls);
    const client = await afterEhlo(program);
    for (const byte of 'STARTTLS\r\nRSET\r\nMAIL FROM:<evil@x.example>\r\n') {
      if (client.socket.destroyed) break;
      client.socket.write(byte);
      await new Promise(setImmediate);
    }
    await client.ended;
    t.match(client.text().split('\r\n').length, /^[12]$/, 'at most one reply');
    const { outcome } = await program.nextConnection();
    t.match(outcome, /^(?:smtp_refused|not_tls)$/, 'refused behind the line, or not TLS behind 220');
    t.same(
      backend.heard.filter((line) => !/^(?:EHLO client\.example|STARTTLS|QUIT)$/.test(line)),
      [],
    );
  });
}

test('what a client sent in clear is forgotten inside TLS, where the backend session is a new one', async (t) => {
  const [backend, program] = await startBoth(t, 'none');
  const client = await afterEhlo(program);
  client.socket.write('NOOP\r\nSTARTTLS\r\n');
  while (!client.text().includes('220 2.0.0')) await once(client.socket, 'data');
  client.socket.removeAllListeners('data');
  const secure = connectTls({ socket: client.socket, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  let text = '';
  secure.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  secure.write('EHLO again.example\r\n');
  while (!/^250 /m.test(text)) await once(secure, 'data');
  t.match(text, /^250-mta\.example\r\n250 PIPELINING\r\n$/, 'no greeting, no reply from before, no STARTTLS');
  secure.end('QUIT\r\n');
  await program.nextConnection();
  t.same([...backend.heard].sort(), ['EHLO again.example', 'EHLO client.example', 'NOOP', 'QUIT', 'QUIT']);
});

test('a reply that a backend sends behind its 220, in clear, never reaches the client', async (t) => {
  const [, program] = await startBoth(t, 'bridge', '250 injected\r\n');
  const client = await afterEhlo(program);
  client.socket.write('STARTTLS\r\n');
  await client.ended;
  t.match(client.text(), /^421 4\.3\.0 [^\r]*\r\n$/);
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'reply_unexpected' });
});
