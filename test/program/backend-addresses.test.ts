/** A backend at several addresses: one that is dead costs no session, wherever it dies, and who has begun stays. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { freePort } from '../support/peers/postfix.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';
import { startTlsBackend } from '../support/tls-backend.js';

interface Fake {
  readonly address: string;
  readonly server: Server;
  /** Who is connected or was. */
  readonly sockets: Socket[];
}

async function fake(t: Test, connected: (socket: Socket) => void): Promise<Fake> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    connected(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets };
}

/** An SMTP server that answers everything, and names itself. */
const answering = (name: string) => (socket: Socket) => {
  socket.write(`220 ${name} ESMTP\r\n`);
  socket.on('data', (bytes) => {
    const text = bytes.toString('latin1');
    // The PROXY header comes before the first command; version 2 has "QUIT\n" in it.
    for (const verb of text.match(/(?<=^|\n)(?:EHLO|HELO|NOOP|RSET|QUIT)(?=[ \r])/g) ?? []) {
      if (verb === 'QUIT') socket.end('221 bye\r\n');
      else socket.write(`250 ${name}\r\n`);
    }
  });
};

async function start(t: Test, backend: Table, more: ProxyConfig = {}): Promise<Program> {
  const program = await startProgram(
    proxyConfig({ backend: { identity: 'proxy-v1', ...backend }, log: { level: 'trace' }, ...more }),
    1,
  );
  t.teardown(() => program.stop());
  await program.next('started');
  return program;
}

/** @returns the greeting, and the address that the log has */
async function visit(program: Program): Promise<{ greeting: string; address: string | undefined }> {
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  const greeting = await client.reply();
  if (greeting.startsWith('220')) await client.command('QUIT');
  client.destroy();
  const { backendAddress: address } = await program.nextConnection();
  return { greeting, address };
}

const DEAD: Readonly<Record<string, (t: Test) => Promise<string>>> = {
  'refuses the connection': async () => `127.0.0.1:${await freePort()}`,
  'closes without a greeting': async (t) => (await fake(t, (socket) => socket.end())).address,
  'resets the connection': async (t) => (await fake(t, (socket) => socket.resetAndDestroy())).address,
  'greets with 421': async (t) => (await fake(t, (socket) => socket.end('421 4.3.2 down\r\n'))).address,
  'breaks off its greeting': async (t) =>
    (await fake(t, (socket) => socket.end('220-one\r\n220-tw'))).address,
  'never greets': async (t) => (await fake(t, () => undefined)).address,
  'has no socket': () => Promise.resolve('unix:/nowhere/mta.sock'),
};

for (const workers of [1, 2]) {
  test(`a first address that is dead costs no session (workers = ${workers})`, async (t) => {
    const good = await fake(t, answering('good'));
    const dead = await Promise.all(
      Object.entries(DEAD).map(async ([how, make]) => ({ how, address: await make(t) })),
    );
    const backends = dead.map(({ address }, index) => ({
      name: `b${index}`,
      identity: index % 2 === 0 ? 'proxy-v2' : 'proxy-v1',
      address: [address, good.address],
    }));
    const listeners = dead.map((_, index) => ({ name: `l${index}`, backend: `b${index}` }));
    const program = await startProgram(
      proxyConfig({
        server: { workers },
        listeners,
        backends,
        limits: { 'greeting-timeout': '2s' },
      }),
      listeners.length,
    );
    t.teardown(() => program.stop());
    await program.next('started');
    for (const [index, { how }] of dead.entries()) {
      const client = await SmtpClient.connect(program.ports.get(`l${index}`)!);
      t.match(await client.reply(), /^220 good/, how);
      t.match(await client.command('EHLO client.example'), /^250/, how);
      t.match(await client.command('QUIT'), /^221/, how);
      client.destroy();
      t.match(await program.nextConnection(), { outcome: 'plaintext', backendAddress: good.address }, how);
    }
  });
}

test("an address that failed is not tried first again, and what nobody greets is the last one's failure", async (t) => {
  const silent = await fake(t, () => undefined);
  const good = await fake(t, answering('good'));
  const program = await start(
    t,
    { address: [silent.address, good.address] },
    { limits: { 'greeting-timeout': '2s' } },
  );
  for (let turn = 0; turn < 3; turn += 1)
    t.match(await visit(program), { greeting: /^220 good/, address: good.address });
  t.equal(silent.sockets.length, 1);
  good.server.close();
  for (const socket of good.sockets) socket.destroy();
  t.match(await visit(program), { greeting: /^421 4\.3\.0 / });
  t.equal(silent.sockets.length, 2, 'when there is nothing better, it is tried');
});

test('an address that accepts connections and is then silent is followed by the next one, whatever is to come first', async (t) => {
  const limits = { 'greeting-timeout': '3s' };
  const open = { identity: 'none', 'acknowledge-relay-risk': true };
  const silent = await fake(t, () => undefined);
  const mute = await fake(t, (socket) => socket.write('220 mute ESMTP\r\n'));
  const good = await fake(t, answering('good'));
  for (const { address } of [silent, mute]) {
    const program = await start(t, { address: [address, good.address], ...open }, { limits });
    t.match(await visit(program), { greeting: /^220 good/, address: good.address }, 'in a dialogue');
  }
  const inside = await startTlsBackend('implicit');
  t.teardown(() => inside.close());
  const spki = inside.certificate.publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(spki).digest('base64');
  const address = [silent.address, `127.0.0.1:${inside.port}`];
  const program = await start(t, { address, tls: 'implicit', 'tls-pin': pin }, { limits });
  t.match(await visit(program), { greeting: /^220 backend\.example/, address: address[1] }, 'in TLS');
});

test('where health checks run, what a client can bring about does not mark an address as down', async (t) => {
  // It greets health checks, and closes on clients.
  const choosy = await fake(t, (socket) => {
    socket.once('data', (header) =>
      socket.end(/^PROXY UNKNOWN/.test(String(header)) ? '220 choosy\r\n' : ''),
    );
  });
  const good = await fake(t, answering('good'));
  const address = [choosy.address, good.address];
  const program = await start(t, { address, 'health-interval': '1h' });
  for (const turn of [1, 2]) {
    t.match(await visit(program), { greeting: /^220 good/ });
    t.equal(choosy.sockets.length, 1 + turn, 'one health check, and each client');
  }
});

test('a TCP connection alone does not bring an address back, not even the last one', async (t) => {
  const silent = await fake(t, () => undefined);
  let busy = false;
  const good = await fake(t, (socket) => {
    if (busy) socket.end('421 4.3.2 busy\r\n');
    else answering('good')(socket);
  });
  const limits = { 'greeting-timeout': '1s' };
  const program = await start(t, { address: [silent.address, good.address] }, { limits });
  t.match(await visit(program), { greeting: /^220 good/ });
  busy = true;
  t.match(await visit(program), { greeting: /^421 4\.3\.0 / }, 'now it is the last one, and silent');
  busy = false;
  t.match(await visit(program), { greeting: /^220 good/ });
  t.equal(silent.sockets.length, 2, 'it was not tried first again');
});

test("a temporary refusal of all is the client's to get, and a permanent one is not asked about elsewhere", async (t) => {
  const one = await fake(t, (socket) => socket.end('421 4.7.0 one\r\n'));
  const two = await fake(t, (socket) => socket.end('421 4.7.0 two\r\n'));
  const busy = await start(t, { address: [one.address, two.address] });
  t.match(await visit(busy), { greeting: /^421 4\.7\.0 two/ });
  t.match(await visit(busy), { greeting: /^421 4\.7\.0 two/ });
  t.equal(one.sockets.length, 2, 'a refusal may be for one client only, so that the order stays');
  const never = await fake(t, (socket) => socket.end('554 5.7.1 not you\r\n'));
  const refusing = await start(t, { address: [never.address, two.address] });
  t.match(await visit(refusing), { greeting: /^554 5\.7\.1 not you/ });
  t.equal(two.sockets.length, 2);
});

test('with round-robin sessions alternate; both sessions of a client that asks for TLS are at one address', async (t) => {
  const sinks = [await startTestSink(), await startTestSink()];
  const address = sinks.map(({ port }) => `127.0.0.1:${port}`);
  const program = await start(t, { address, balance: 'round-robin', identity: 'proxy-v2' });
  t.teardown(() => sinks.forEach((sink) => sink.close()));
  for (const turn of [0, 1, 2, 3]) {
    const client = await SmtpClient.connect(program.ports.get('mx')!);
    await client.reply();
    await client.command('EHLO client.example');
    await client.command('STARTTLS');
    await client.secureLikeOld({ version: 0x0301, suites: [0x2f] });
    await client.command('EHLO client.example');
    t.match(await client.deliver('a@a.example', 'b@b.example', 'x'), /^250 /);
    await client.command('QUIT');
    client.destroy();
    t.match(await program.nextConnection(), { outcome: 'completed', backendAddress: address[turn % 2] });
  }
  t.same(
    sinks.map(({ delivered }) => delivered.length),
    [2, 2],
  );
});

test('a session that has begun stays, dies with its address, and the next one goes elsewhere', async (t) => {
  const one = await fake(t, answering('one'));
  const two = await fake(t, answering('two'));
  const program = await start(t, { address: [one.address, two.address] });
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  t.match(await client.reply(), /^220 one/);
  await client.command('EHLO client.example');
  one.server.close();
  t.match(await client.command('NOOP'), /^250 one/, 'a listener that is gone does not end it');
  one.sockets[0]!.destroy();
  await client.gone;
  t.match(await program.nextConnection(), { backendAddress: one.address });
  t.match(await visit(program), { greeting: /^220 two/, address: two.address });
});

test('while an address is being tried the program stops at once, and a reload leaves the session its addresses', async (t) => {
  const silent = await fake(t, () => undefined);
  const good = await fake(t, answering('good'));
  const address = [silent.address, good.address];
  const limits = { 'greeting-timeout': '4s', 'shutdown-timeout': '1ms' };
  const program = await start(t, { address }, { limits });
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  while (silent.sockets.length === 0) await once(silent.server, 'connection');
  program.configure(proxyConfig({ backend: { identity: 'proxy-v1', address: silent.address }, limits }));
  program.signal('SIGHUP');
  await program.next('reloaded');
  t.match(await client.reply(), /^220 good/);
  client.destroy();
  await program.nextConnection();
  const waiting = await SmtpClient.connect(program.ports.get('mx')!);
  while (silent.sockets.length === 1) await once(silent.server, 'connection');
  t.equal(await program.stop(), 0);
  t.match(await waiting.reply(), /^421 /);
});

test('health checks find a dead address, and /readyz is 503 when there is no other', async (t) => {
  const one = await fake(t, answering('one'));
  const port = await freePort();
  const admin = await freePort();
  const address = [one.address, `127.0.0.1:${port}`];
  const ready = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${admin}/readyz`);
    return response.status;
  };
  for (const workers of [1, 2]) {
    const program = await start(
      t,
      { address: address.toReversed(), 'health-interval': '50ms' },
      { server: { workers }, admin: { address: `127.0.0.1:${admin}` } },
    );
    t.match(await program.next('backend_down'), { backend: 'mta', address: address[1], left: 1 });
    t.equal(await ready(), 200);
    t.match(await visit(program), { greeting: /^220 one/ });
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    t.match(metrics, `oldhello_backend_up{backend="mta",address="${one.address}"} 1`);
    if (workers === 2) {
      one.server.close();
      for (const socket of one.sockets) socket.destroy();
      t.match(await program.next('backend_down'), { address: one.address, left: 0 });
      t.equal(await ready(), 503);
      const back = createServer(answering('back')).listen(port, '127.0.0.1');
      t.teardown(() => back.close());
      t.match(await program.next('backend_up'), { address: address[1] });
      t.equal(await ready(), 200);
    }
    await program.stop();
  }
});

test('a backend on a Unix socket gets the address of the client', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-socket-'));
  const path = join(folder, 'mta.sock');
  let received = '';
  const server = createServer((socket) => {
    socket.on('data', (bytes) => (received += bytes.toString('latin1')));
    socket.on('error', () => undefined);
    answering('local')(socket);
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const program = await start(t, { address: `unix:${path}`, 'health-interval': '1h' });
  t.match(await visit(program), { greeting: /^220 local/, address: `unix:${path}` });
  t.match(received, /PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n/);
  t.match(received, /PROXY UNKNOWN\r\n/, 'and none from a health check');
});
