import { test } from 'tap';
import { CIPHER_SUITES, ProtocolVersion, type CipherSuite } from '../../src/tls/index.js';
import { TestClient, vector16, type HelloOptions } from '../support/test-client.js';
import { TestServer } from '../support/test-server.js';

const GROUPS = [10, vector16(Buffer.from('001d00170018', 'hex'))] as const;
const SIGNATURES = [13, vector16(Buffer.from('04010403020102030501', 'hex'))] as const;
const POINT_FORMATS = [11, Buffer.from('0100', 'hex')] as const;
const RENEGOTIATION = [0xff01, Buffer.of(0)] as const;

/** All versions a suite may be used with. */
function versionsOf(suite: CipherSuite): number[] {
  return Object.values(ProtocolVersion).filter(
    (version) => suite.minVersion <= version && version <= suite.maxVersion,
  );
}

/** Runs a full handshake and passes data both ways, the client's bytes in pieces of `chunk`. */
function converse(server: TestServer, client: TestClient, chunk = Infinity): void {
  const feed = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += chunk) server.receive(bytes.subarray(at, at + chunk));
    client.receive(server.take());
  };
  feed(client.hello());
  feed(client.secondFlight());
  feed(client.seal(23, Buffer.from('ping')));
  server.connection.send(Buffer.from('pong'));
  client.receive(server.take());
}

test('every suite at every version it may be used with: handshake, data both ways, both hello formats', async (t) => {
  for (const suite of CIPHER_SUITES) {
    for (const version of versionsOf(suite)) {
      for (const format of ['record', 'sslv2'] as const) {
        const extensions = version === 0x0300 ? undefined : [GROUPS, SIGNATURES, POINT_FORMATS];
        const client = new TestClient({
          format,
          version,
          suites: [suite.id],
          ...(extensions && { extensions }),
        });
        const server = new TestServer();
        converse(server, client);
        const seen = {
          version: server.established?.version,
          suite: server.established?.suite.name,
          finished: client.serverFinished,
          received: server.received.toString(),
          answered: client.data.toString(),
        };
        const wanted = { version, suite: suite.name, finished: true, received: 'ping', answered: 'pong' };
        t.same(seen, wanted, `${suite.name} ${version.toString(16)} ${format}`);
      }
    }
  }
});

test('however the bytes are cut, the handshake comes out the same', async (t) => {
  for (const format of ['record', 'sslv2'] as const) {
    for (const suite of [0x0004, 0x002f, 0x0039, 0xc013]) {
      for (const chunk of [1, 2, 5, 64]) {
        const client = new TestClient({ format, version: 0x0301, suites: [suite] });
        const server = new TestServer();
        converse(server, client, chunk);
        t.equal(
          `${server.received.toString()} ${client.data.toString()}`,
          'ping pong',
          `${format} ${suite.toString(16)} by ${chunk}`,
        );
      }
    }
  }
});

test('a peer that answers from within transmit gets the same handshake', async (t) => {
  for (const format of ['record', 'sslv2'] as const) {
    for (const suite of [0x002f, 0x0033]) {
      const client = new TestClient({ format, version: 0x0301, suites: [suite] });
      const server = new TestServer();
      server.transmitted = () => {
        client.receive(server.take());
        if (client.messages.at(-1) === 14) server.receive(client.secondFlight());
      };
      server.receive(client.hello());
      t.equal(server.refusal, undefined, `${format} ${suite.toString(16)}`);
      t.equal(client.serverFinished, true);
    }
  }
});

test('a host that answers later gets the same handshake', async (t) => {
  for (const suite of [0x002f, 0xc013]) {
    const client = new TestClient({ version: 0x0301, suites: [suite], extensions: [GROUPS] });
    const server = new TestServer();
    server.hold = true;
    const step = (bytes: Buffer): void => {
      server.receive(bytes);
      if (!server.connection.wantsInput) server.completeOperations();
      client.receive(server.take());
    };
    step(client.hello());
    step(client.secondFlight());
    t.ok(server.established, 'with everything behind the operation already received');
    t.ok(client.serverFinished);
  }
});

test('the renegotiation signal is answered in every version and both formats (RFC 5746, 3.6)', async (t) => {
  const offers: [string, HelloOptions][] = [
    ['SCSV in an SSLv2-format hello', { format: 'sslv2', version: 0x0301, suites: [0x2f, 0xff] }],
    ['SCSV in an SSLv3 hello', { version: 0x0300, suites: [0x05, 0xff] }],
    ['SCSV in an SSLv2-format hello for SSLv3', { format: 'sslv2', version: 0x0300, suites: [0x05, 0xff] }],
    ['extension', { version: 0x0303, suites: [0x2f], extensions: [RENEGOTIATION] }],
  ];
  for (const [name, options] of offers) {
    const client = new TestClient(options);
    const server = new TestServer();
    converse(server, client);
    t.same(client.server?.extensions.get(0xff01), Buffer.of(0), name);
    t.equal(server.established?.secureRenegotiation, true, name);
  }
  const silent = new TestClient({ version: 0x0301 });
  const server = new TestServer();
  converse(server, silent);
  t.equal(silent.server?.extensions.size, 0, 'who does not ask gets no extension at all');
});

test('extended master secret, encrypt-then-MAC and max_fragment_length are agreed on and used', async (t) => {
  const extensions = [
    [23, Buffer.alloc(0)],
    [22, Buffer.alloc(0)],
    [1, Buffer.of(1)],
  ] as const;
  for (const version of [0x0301, 0x0302, 0x0303]) {
    const client = new TestClient({ version, suites: [0x2f], extensions });
    const server = new TestServer();
    converse(server, client);
    t.match(server.established, { extendedMasterSecret: true, encryptThenMac: true, maxFragmentLength: 512 });
    t.equal(client.data.toString(), 'pong');
    server.connection.send(Buffer.alloc(2000));
    const lengths: number[] = [];
    const sent = server.take();
    for (let at = 0; at < sent.length; at += 5 + sent.readUInt16BE(at + 3))
      lengths.push(sent.readUInt16BE(at + 3));
    t.equal(lengths.length, 4, 'RFC 6066, 4: no record holds more than 512 bytes');
  }
  const rc4 = new TestClient({ version: 0x0301, suites: [0x05], extensions });
  const server = new TestServer();
  converse(server, rc4);
  t.equal(server.established?.encryptThenMac, false, 'RFC 7366, 3: not with a stream cipher');
});

test('the downgrade signal is set where the service could do better, and only there (RFC 8446, 4.1.3)', async (t) => {
  const last8 = (version: number, serviceMaxVersion: number): string => {
    const client = new TestClient({ version, suites: [0x2f] });
    const server = new TestServer({ serviceMaxVersion });
    server.receive(client.hello());
    client.receive(server.take());
    return client.serverRandom.subarray(24).toString('latin1');
  };
  t.equal(last8(0x0303, 0x0304), 'DOWNGRD\x01');
  t.equal(last8(0x0302, 0x0304), 'DOWNGRD\x00');
  t.equal(last8(0x0301, 0x0303), 'DOWNGRD\x00');
  t.notMatch(last8(0x0303, 0x0303), 'DOWNGRD');
  t.notMatch(last8(0x0301, 0x0301), 'DOWNGRD');
});

test('an SSLv2-format hello may carry 16 to many bytes of challenge; of more than 32 the last count', async (t) => {
  for (const length of [16, 17, 31, 32, 33, 48]) {
    const challenge = Buffer.from(Array.from({ length }, (_, index) => index + 1));
    const client = new TestClient({ format: 'sslv2', challenge });
    const server = new TestServer();
    converse(server, client);
    t.ok(client.serverFinished, `${length} bytes`);
  }
});

test('the premaster secret carries the version of the hello, not the negotiated one (RFC 5246, 7.4.7.1)', async (t) => {
  const attempt = (tolerateKeyExchangeBugs: boolean, clientVersion: number, premasterVersion: number) => {
    const client = new TestClient({ format: 'sslv2', version: clientVersion });
    const server = new TestServer({ tolerateKeyExchangeBugs, maxVersion: 0x0300 });
    server.receive(client.hello());
    client.receive(server.take());
    const keyExchange = client.send(16, client.clientKeyExchange(premasterVersion));
    const changeCipherSpec = client.changeCipherSpec();
    client.protectWrites();
    server.receive(Buffer.concat([keyExchange, changeCipherSpec, client.finished()]));
    return server.established !== undefined ? 'established' : server.refusal;
  };
  t.equal(attempt(false, 0x0301, 0x0301), 'established');
  t.equal(
    attempt(false, 0x0301, 0x0300),
    'bad_record_mac',
    'and what tells is the record, never the key exchange',
  );
  t.equal(attempt(true, 0x0301, 0x0300), 'established', 'unless the bug of OpenSSL is tolerated');
  t.equal(attempt(true, 0x0302, 0x0300), 'bad_record_mac', 'which no client newer than TLS 1.0 has');
});

test('both sides may close first (RFC 5246, 7.2.1)', async (t) => {
  const byClient = new TestServer();
  const leaving = new TestClient();
  converse(byClient, leaving);
  byClient.receive(leaving.seal(21, Buffer.of(1, 0)));
  leaving.receive(byClient.take());
  t.match(byClient.outcome, { kind: 'closed', by: 'client' });
  t.same(leaving.alerts, [{ level: 1, description: 0 }], 'close_notify is answered');

  const byServer = new TestServer();
  const staying = new TestClient();
  converse(byServer, staying);
  byServer.connection.close();
  staying.receive(byServer.take());
  t.match(byServer.outcome, { kind: 'closed', by: 'server' });
  t.same(staying.alerts, [{ level: 1, description: 0 }]);
});
