/** One process of flags.ts: a load by its name, then its CPU time and memory as a line of JSON. */
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { TestClient } from '../../test/support/test-client.js';
import { TestServer } from '../../test/support/test-server.js';

function handshake(): void {
  const client = new TestClient({ format: 'sslv2', version: 0x0301, suites: [0x2f] });
  const server = new TestServer();
  server.receive(client.hello());
  client.receive(server.take());
  server.receive(client.secondFlight());
}

/** Milliseconds of CPU. */
async function cpuOf(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Bytes that are read from one socket and written to another one. */
async function relay(bytes: number): Promise<void> {
  const sink = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  const proxy = createServer((from) => {
    const to = connect((sink.address() as AddressInfo).port, '127.0.0.1');
    from.pipe(to);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const source = connect((proxy.address() as AddressInfo).port, '127.0.0.1');
  const chunk = Buffer.alloc(65_536);
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    if (!source.write(chunk)) await once(source, 'drain');
  }
  source.end();
  await once(source, 'close');
  sink.close();
  proxy.close();
}

const LOADS: Record<string, () => Promise<number>> = {
  bulk: () => cpuOf(() => relay(1_000_000_000)),
  handshakes: async () => {
    for (let turn = 0; turn < 300; turn += 1) handshake();
    return await cpuOf(() => {
      for (let turn = 0; turn < 2_000; turn += 1) handshake();
    });
  },
};

const cpu = await LOADS[process.argv[2]!]!();
console.log(JSON.stringify({ cpu, memory: process.memoryUsage.rss() / 2 ** 20 }));
process.exit(0);
