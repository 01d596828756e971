/** What the engine and its host owe each other: when calls may come, from where, and what follows them. */
import { test } from 'tap';
import { describeWait, ServerConnection } from '../../src/tls/index.js';
import { handshakeMessage, helloBody, TestClient, type HelloOptions } from '../support/test-client.js';
import { record } from '../support/reference-protection.js';
import { EVERYTHING, TestServer } from '../support/test-server.js';

interface Pair {
  readonly server: TestServer;
  readonly client: TestClient;
}

function begin(options: HelloOptions = {}, server = new TestServer()): Pair {
  const client = new TestClient(options);
  server.receive(client.hello());
  client.receive(server.take());
  return { server, client };
}

function establish(options: HelloOptions = {}, server = new TestServer()): Pair {
  const pair = begin(options, server);
  server.receive(pair.client.secondFlight());
  pair.client.receive(server.take());
  return pair;
}

test('data is sent after the handshake only, and after the end nothing happens any more', async (t) => {
  const { server, client } = begin();
  t.throws(() => server.connection.send(Buffer.from('x')), /before the handshake is complete/);
  t.equal(server.sent.length, 0);
  server.receive(client.secondFlight());
  server.connection.close();
  server.take();
  server.connection.send(Buffer.from('x'));
  server.connection.close();
  server.connection.abandon();
  server.receive(client.seal(23, Buffer.from('x')));
  t.equal(server.sent.length, 0);
  t.equal(server.received.length, 0);
  t.equal(server.ends, 1);
});

test('an answer that nobody waits for is ignored: before a question, twice, and after the end', async (t) => {
  const { server, client } = begin();
  const unasked = (): void => server.connection.complete(Buffer.alloc(256));
  unasked();
  server.receive(client.secondFlight());
  unasked();
  unasked();
  server.receive(client.seal(23, Buffer.from('x')));
  t.equal(server.refusal, undefined);
  t.equal(server.received.toString(), 'x');

  const gone = begin();
  gone.server.hold = true;
  gone.server.receive(gone.client.secondFlight());
  t.equal(gone.server.connection.wantsInput, false);
  gone.server.connection.abandon();
  gone.server.completeOperations();
  t.equal(gone.server.connection.state, 'ended');
  t.equal(gone.server.sent.length, 0);
});

test('what is received while data is delivered comes after it', async (t) => {
  const { server, client } = establish();
  const [first, second] = [client.seal(23, Buffer.from('1')), client.seal(23, Buffer.from('2'))];
  const seen: string[] = [];
  server.delivered = () => {
    const data = server.received.toString();
    if (data === '1') server.receive(second);
    seen.push(server.received.toString());
  };
  server.receive(first);
  t.same(seen, ['1', '12'], 'a delivery ends before the next begins');
});

test('what stands behind close_notify or a fatal alert in one piece is not read (RFC 5246, 7.2.1)', async (t) => {
  for (const alert of [Buffer.of(1, 0), Buffer.of(2, 40)]) {
    const { server, client } = establish();
    server.receive(
      Buffer.concat([client.seal(21, alert), client.seal(23, Buffer.from('x')), Buffer.alloc(9)]),
    );
    t.equal(server.received.length, 0);
    t.equal(server.ends, 1);
    t.equal(server.connection.wantsInput, false);
  }
});

test('records without data are not delivered', async (t) => {
  const { server, client } = establish();
  server.delivered = () => t.not(server.received.length, 0);
  server.receive(client.seal(23, Buffer.alloc(0)));
  server.receive(client.seal(23, Buffer.from('x')));
  t.equal(server.received.toString(), 'x');
});

test('what the handshake waits for can be asked, and has a name, until it is complete', async (t) => {
  const server = new TestServer();
  t.equal(describeWait(server.connection.wait), 'client_hello');
  const { client } = begin({}, server);
  t.match(server.connection.wait, { for: 'message', type: 16 });
  t.equal(describeWait(server.connection.wait), 'client_key_exchange');
  server.receive(client.secondFlight());
  t.equal(server.connection.state, 'established');
  t.equal(server.connection.wait, undefined);
});

test('however a connection ends, the event has what the handshake waited for', async (t) => {
  const ends: Record<string, (pair: Pair) => void> = {
    'the host closes': ({ server }) => server.connection.close(),
    'the transport is gone': ({ server }) => server.connection.abandon(),
    'the client sends close_notify': ({ server }) => server.receive(record(21, 0x0301, Buffer.of(1, 0))),
    'the client sends a fatal alert': ({ server }) => server.receive(record(21, 0x0301, Buffer.of(2, 40))),
    'the client is refused': ({ server }) => server.receive(record(23, 0x0301, Buffer.of(0))),
  };
  for (const [title, end] of Object.entries(ends)) {
    const waited = (advance: (pair: Pair) => void): string => {
      const pair = begin();
      advance(pair);
      end(pair);
      t.equal(pair.server.ends, 1, title);
      return describeWait(pair.server.endWait);
    };
    t.equal(
      waited(() => undefined),
      'client_key_exchange',
      title,
    );
    const keyExchange = ({ server, client }: Pair): void =>
      server.receive(client.send(16, client.clientKeyExchange()));
    t.equal(waited(keyExchange), 'change_cipher_spec', title);
    if (title.startsWith('the client')) continue;
    const held = (pair: Pair): void => {
      pair.server.hold = true;
      keyExchange(pair);
    };
    t.equal(waited(held), 'private_key', title);
  }
  const { server } = establish();
  server.connection.abandon();
  t.equal(server.outcome?.kind, 'abandoned');
  t.equal(server.endWait, undefined, 'nothing, once it is complete');
  const early = new TestServer();
  early.connection.abandon();
  t.equal(describeWait(early.endWait), 'client_hello');
});

test('nothing to send is nothing sent', async (t) => {
  const { server } = establish();
  server.transmitted = () => t.fail('transmitted');
  server.connection.send(Buffer.alloc(0));
  t.equal(server.sent.length, 0);
});

test('however much comes in one piece is read, as long as the host is not asked for anything', async (t) => {
  const { server, client } = establish();
  const records = Array.from({ length: 30 }, (_, index) => client.seal(23, Buffer.alloc(16_384, index)));
  server.receive(Buffer.concat(records));
  t.equal(server.refusal, undefined);
  t.equal(server.received.length, 30 * 16_384);
});

test('a message behind the one that is being worked on waits its turn', async (t) => {
  const two = Buffer.concat([
    record(22, 0x0301, handshakeMessage(1, helloBody({ sessionId: Buffer.alloc(32, 1) }))),
    record(22, 0x0301, handshakeMessage(16, Buffer.of(0))),
  ]);
  const server = new TestServer();
  server.hold = true;
  server.receive(two);
  t.equal(server.refusal, undefined, 'while the session is looked up');
  server.completeOperations();
  t.equal(server.refusal, 'malformed_message', 'as ClientKeyExchange, which is what it is');
});

test('what was on its way while the host works on an operation is read after it, a full read of a socket at least', async (t) => {
  const { server, client } = begin();
  server.hold = true;
  const flight = client.secondFlight();
  const data = Array.from({ length: 4 }, () => client.seal(23, Buffer.alloc(16_000)));
  server.receive(flight);
  server.receive(Buffer.concat(data));
  t.equal(server.connection.wait?.for, 'operation');
  server.completeOperations();
  t.equal(server.refusal, undefined);
  t.equal(server.received.length, 64_000);
});

test('a host that closes from within any call gets the end once, and no call after it', async (t) => {
  for (const suite of [0x2f, 0x33]) {
    const { server, client } = begin({ suites: [suite] });
    server.transmitted = () => server.connection.close();
    server.receive(client.secondFlight());
    t.equal(server.established, undefined, 'in the last flight');
    t.equal(server.connection.state, 'ended');
    t.equal(server.connection.wait, undefined);
    t.equal(server.ends, 1);
  }
  const asked = new TestServer();
  asked.operated = (operation) => {
    asked.complete(operation);
    asked.connection.close();
  };
  asked.receive(new TestClient({ suites: [0x33] }).hello());
  t.equal(asked.sent.toString('hex'), '15030100020100', 'close_notify and nothing behind it, in a question');
  t.equal(asked.ends, 1);

  const limited = establish({ suites: [0x0a] }, new TestServer({ smallBlockLimit: 100 }));
  limited.server.transmitted = () => limited.server.connection.close();
  limited.server.connection.send(Buffer.alloc(200));
  t.equal(limited.server.ends, 1, 'in a record that is one too many');
});

test('what the host throws from ended() goes back to the host, and ended() is not called again', async (t) => {
  let calls = 0;
  const nothing = (): void => undefined;
  const connection = new ServerConnection(EVERYTHING, {
    transmit: nothing,
    deliver: nothing,
    operate: nothing,
    established: nothing,
    saveSession: nothing,
    forgetSession: nothing,
    ended: () => {
      calls += 1;
      throw new Error('the host broke');
    },
  });
  t.throws(() => connection.receive(Buffer.from('802e010002', 'hex')), /the host broke/);
  t.equal(calls, 1);
});
