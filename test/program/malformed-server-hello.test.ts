/** A backend whose own TLS answers with garbage ends its own connection, and nobody else's. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'tap';
import { startProgram } from '../support/program.js';
import { EMPTY_SERVER_HELLO, serverHelloRecord } from '../support/server-hellos.js';
import { TestClient } from '../support/test-client.js';

/** A hello that is passed on to the TLS of the backend. */
const MODERN = new TestClient({
  version: 0x0303,
  suites: [0xc02f],
  extensions: [
    [10, Buffer.from('0002001d', 'hex')],
    [13, Buffer.from('00020401', 'hex')],
  ],
}).hello();

async function exchange(port: number): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(MODERN);
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

for (const workers of [1, 2]) {
  test(`a malformed ServerHello reaches the client as it is, with ${workers} processes`, async (t) => {
    const answers = [EMPTY_SERVER_HELLO, serverHelloRecord({ sessionId: 0, suite: 0xc02f })];
    const backend = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      let received = 0;
      socket.on('data', (chunk: Buffer) => {
        const before = received;
        received += chunk.length;
        // Behind a PROXY header, which alone is shorter than the hello.
        if (before < MODERN.length && received >= MODERN.length) socket.end(answers.shift()!);
      });
    });
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const program = await startProgram(
      `
[server]
hostname = "proxy.example"
state-directory = "STATE"
workers = ${workers}
[[listener]]
name = "clients"
address = "127.0.0.1:0"
mode = "implicit"
backend = "mta"
[[backend]]
name = "mta"
health-interval = "0"
address = "127.0.0.1:${(backend.address() as AddressInfo).port}"
identity = "proxy-v1"
tls = "bridge"
[tls]
profile = "legacy"
`,
      1,
    );
    t.teardown(async () => {
      await program.stop();
      backend.close();
    });
    const [malformed, good] = [...answers];
    const port = program.ports.get('clients')!;
    t.same(await exchange(port), malformed);
    t.match(await program.nextConnection(), { outcome: 'passthrough_failed', tls: undefined });
    t.same(await exchange(port), good);
    t.match(await program.nextConnection(), { outcome: 'passthrough_failed', reason: 'closed_by_backend' });
    t.notOk(program.log.some(({ event }) => event === 'internal_error' || event === 'worker_lost'));
  });
}
