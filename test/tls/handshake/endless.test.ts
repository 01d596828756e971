/** Input that never ends, of every kind and in every state: it is cut off after a bounded number of bytes. */
import { test } from 'tap';
import { record } from '../../support/reference-protection.js';
import { handshakeMessage, TestClient, type HelloOptions } from '../../support/test-client.js';
import { TestServer } from '../../support/test-server.js';

interface Stage {
  readonly server: TestServer;
  readonly client: TestClient;
}

const SUITE: HelloOptions = { version: 0x0301, suites: [0x05] };

function answered(options: HelloOptions = SUITE): Stage {
  const server = new TestServer();
  const client = new TestClient(options);
  server.receive(client.hello());
  client.receive(server.take());
  return { server, client };
}

const STATES: readonly (readonly [title: string, reach: () => Stage])[] = [
  ['before the hello', () => ({ server: new TestServer(), client: new TestClient(SUITE) })],
  ['waiting for ClientKeyExchange', () => answered()],
  [
    'waiting for ChangeCipherSpec',
    () => {
      const stage = answered();
      stage.server.receive(stage.client.send(16, stage.client.clientKeyExchange()));
      return stage;
    },
  ],
  [
    'waiting for Finished',
    () => {
      const stage = answered();
      stage.server.receive(stage.client.send(16, stage.client.clientKeyExchange()));
      stage.server.receive(stage.client.changeCipherSpec());
      stage.client.protectWrites();
      return stage;
    },
  ],
  [
    'established',
    () => {
      const stage = answered();
      stage.server.receive(stage.client.secondFlight());
      stage.client.receive(stage.server.take());
      return stage;
    },
  ],
];

/** One after the other, for ever. */
const STREAMS: Record<string, (client: TestClient) => Buffer> = {
  'warning alerts': (client) => client.seal(21, Buffer.of(1, 90)),
  'empty records and warnings in turn': (client) =>
    Buffer.concat([client.seal(23, Buffer.alloc(0)), client.seal(21, Buffer.of(1, 90))]),
  'empty records': (client) => client.seal(23, Buffer.alloc(0)),
  'empty handshake records': (client) => client.seal(22, Buffer.alloc(0)),
  'one byte of a hello a record': (client) => client.seal(22, Buffer.of(1)),
  'hellos that are never complete': (client) => client.seal(22, Buffer.of(1, 0, 0x3f, 0xff)),
  'a hello of 16 MiB': (client) => client.seal(22, Buffer.of(1, 0xff, 0xff, 0xff)),
  'whole ClientHellos': (client) => client.seal(22, handshakeMessage(1, Buffer.alloc(50))),
  'ClientKeyExchange that goes on': (client) => client.seal(22, Buffer.of(16, 0, 8, 2)),
  'Finished that goes on': (client) => client.seal(22, Buffer.of(20, 0, 0, 40)),
  ChangeCipherSpec: (client) => client.seal(20, Buffer.of(1)),
  HelloRequest: (client) => client.seal(22, handshakeMessage(0, Buffer.alloc(0))),
  'records of an unknown type': (client) => client.seal(99, Buffer.of(1)),
  'zeros without a record': () => Buffer.alloc(100),
  'ones without a record': () => Buffer.alloc(100, 0xff),
  'clear handshake records': () => record(22, 0x0301, Buffer.alloc(100, 1)),
};

/** Bytes: one message in as many encrypted records as it may have. */
const ENOUGH = 150_000;

test('whatever does not end is cut off, in every state', async (t) => {
  for (const [state, reach] of STATES) {
    for (const [title, next] of Object.entries(STREAMS)) {
      const { server, client } = reach();
      let fed = 0;
      while (server.outcome === undefined && fed < ENOUGH) {
        const bytes = next(client);
        fed += bytes.length;
        server.receive(bytes);
      }
      t.equal(fed < ENOUGH, true, `${state}: ${title}: ${fed} bytes`);
      t.equal(server.received.length, 0);
    }
  }
});

test('nothing is kept for a message that is only announced', async (t) => {
  const before = process.memoryUsage();
  const waiting = Array.from({ length: 200 }, () => {
    const server = new TestServer();
    server.receive(record(22, 0x0301, Buffer.of(1, 0, 0x40, 0)));
    return server;
  });
  const { arrayBuffers } = process.memoryUsage();
  t.ok(waiting.every(({ outcome }) => outcome === undefined));
  // A buffer for the whole message in each would be over 3 MB.
  t.ok(arrayBuffers - before.arrayBuffers < 2_000_000, `${arrayBuffers - before.arrayBuffers} bytes`);
});

test('what is kept of a hello is not much more than its bytes', async (t) => {
  const extensions = Array.from({ length: 4000 }, (_, index) => [1000 + index, Buffer.alloc(0)] as const);
  const hello = new TestClient({ version: 0x0303, extensions }).hello();
  const { heapUsed } = process.memoryUsage();
  const waiting = Array.from({ length: 200 }, () => {
    const server = new TestServer();
    server.receive(hello);
    return server;
  });
  const grown = process.memoryUsage().heapUsed - heapUsed;
  t.ok(waiting.every(({ connection }) => connection.clientHello?.extensions?.size === 4000));
  // A map with a buffer for each would be 100 MB.
  t.ok(grown < 50_000_000, `${grown} bytes`);
});
