/** In each state the engine waits in, everything that does not belong there gets the alert the RFCs name, and the end. */
import { test } from 'tap';
import { SessionCache, TicketKeys, TICKET_KEY_LENGTH } from '../../../src/tls/index.js';
import { record } from '../../support/reference-protection.js';
import { helloBody, TestClient, type HelloOptions } from '../../support/test-client.js';
import { TestServer } from '../../support/test-server.js';

interface Stage {
  readonly server: TestServer;
  readonly client: TestClient;
  /** What may come next: a handshake type, `ccs`, or `data`. */
  readonly expects: readonly (number | 'ccs' | 'data')[];
  readonly protectedReads: boolean;
}

const GROUPS = [10, Buffer.from('00020017', 'hex')] as const;
const SIGNATURES = [13, Buffer.from('00020401', 'hex')] as const;

const KEY_EXCHANGES: Record<string, HelloOptions> = {
  'RSA, SSLv2 format': { format: 'sslv2', version: 0x0301, suites: [0x05] },
  'RSA, SSLv3': { version: 0x0300, suites: [0x0a] },
  'RSA, TLS 1.1': { version: 0x0302, suites: [0x2f] },
  DHE: { version: 0x0301, suites: [0x33] },
  ECDHE: { version: 0x0303, suites: [0xc02f], extensions: [GROUPS, SIGNATURES] },
};

const afterHello = (options: HelloOptions): Omit<Stage, 'expects' | 'protectedReads'> => {
  const server = new TestServer();
  const client = new TestClient(options);
  server.receive(client.hello());
  client.receive(server.take());
  return { server, client };
};

/** Every state of a full handshake, and of both kinds of resumption, each reached anew. */
const STAGES: [string, () => Stage][] = [
  ...Object.entries(KEY_EXCHANGES).flatMap(([name, options]): [string, () => Stage][] => [
    [
      `${name}: waiting for ClientKeyExchange`,
      () => ({ ...afterHello(options), expects: [16], protectedReads: false }),
    ],
    [
      `${name}: waiting for ChangeCipherSpec`,
      () => {
        const stage = afterHello(options);
        stage.server.receive(stage.client.send(16, stage.client.clientKeyExchange()));
        return { ...stage, expects: ['ccs'], protectedReads: false };
      },
    ],
    [
      `${name}: waiting for Finished`,
      () => {
        const stage = afterHello(options);
        stage.server.receive(stage.client.send(16, stage.client.clientKeyExchange()));
        stage.server.receive(stage.client.changeCipherSpec());
        stage.client.protectWrites();
        return { ...stage, expects: [20], protectedReads: true };
      },
    ],
    [
      `${name}: established`,
      () => {
        const stage = afterHello(options);
        stage.server.receive(stage.client.secondFlight());
        stage.client.receive(stage.server.take());
        // A ClientHello is renegotiation, which has tests of its own.
        return { ...stage, expects: ['data', 1], protectedReads: true };
      },
    ],
  ]),
  ...(['session id', 'ticket'] as const).flatMap((kind): [string, () => Stage][] => [
    [
      `resumption by ${kind}: waiting for ChangeCipherSpec`,
      () => ({ ...resuming(kind), expects: ['ccs'], protectedReads: false }),
    ],
    [
      `resumption by ${kind}: waiting for Finished`,
      () => {
        const stage = resuming(kind);
        stage.server.receive(stage.client.changeCipherSpec());
        stage.client.protectWrites();
        return { ...stage, expects: [20], protectedReads: true };
      },
    ],
  ]),
];

function resuming(kind: 'session id' | 'ticket'): Omit<Stage, 'expects' | 'protectedReads'> {
  const sessions = new SessionCache(10, 1000, () => 0);
  const tickets = new TicketKeys(
    1000,
    () => 0,
    (length) => Buffer.alloc(length, 1),
  );
  tickets.setKeys([Buffer.alloc(TICKET_KEY_LENGTH, 7)]);
  const offer = (ticket: Buffer): HelloOptions =>
    kind === 'ticket' ? { version: 0x0301, extensions: [[35, ticket]] } : { version: 0x0301 };
  const parameters = kind === 'ticket' ? { tickets, sessionIds: false } : {};
  const first = {
    server: new TestServer(parameters, sessions),
    client: new TestClient(offer(Buffer.alloc(0))),
  };
  first.server.receive(first.client.hello());
  first.client.receive(first.server.take());
  first.server.receive(first.client.secondFlight());
  first.client.receive(first.server.take());
  const server = new TestServer(parameters, sessions);
  const sessionId = kind === 'ticket' ? Buffer.alloc(32, 9) : first.client.server!.sessionId;
  const client = new TestClient({ ...offer(first.client.ticket ?? Buffer.alloc(0)), sessionId });
  client.resume(first.client.master!);
  server.receive(client.hello());
  client.receive(server.take());
  if (client.messages.includes(14)) throw new Error('not resumed');
  return { server, client };
}

const HANDSHAKE_TYPES = [0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 21, 22, 99];
const BODIES = new Map<number, Buffer>([
  [1, helloBody({})],
  [16, Buffer.concat([Buffer.from('0100', 'hex'), Buffer.alloc(256, 1)])],
  [20, Buffer.alloc(12)],
]);

test('a message out of its order is answered with unexpected_message and the end (RFC 5246, 7.4)', async (t) => {
  for (const [title, reach] of STAGES) {
    const wrong: string[] = [];
    for (const type of HANDSHAKE_TYPES) {
      const { server, client, expects } = reach();
      if (expects.includes(type)) continue;
      server.receive(client.send(type, BODIES.get(type) ?? Buffer.alloc(0)));
      if (server.refusal !== 'unexpected_message') wrong.push(`type ${type}: ${server.refusal}`);
    }
    t.same(wrong, [], title);
  }
});

test('ChangeCipherSpec too early, twice or too late is refused in every state (CVE-2014-0224)', async (t) => {
  for (const [title, reach] of STAGES) {
    const { server, client, expects } = reach();
    if (expects.includes('ccs')) {
      server.receive(client.changeCipherSpec());
      server.receive(client.changeCipherSpec());
      // The second one comes in clear where encrypted records are due.
      t.match(server.refusal, /early_change_cipher_spec|bad_record_mac|record_overflow/, `${title}, twice`);
      continue;
    }
    server.receive(client.changeCipherSpec());
    t.equal(server.refusal, 'early_change_cipher_spec', title);
  }
});

test('ChangeCipherSpec that is not the byte 1 is refused wherever it may come (RFC 5246, 7.1)', async (t) => {
  for (const content of ['00', '02', '0101', '01ff']) {
    for (const [title, reach] of STAGES) {
      const { server, client, expects } = reach();
      if (!expects.includes('ccs')) continue;
      server.receive(client.seal(20, Buffer.from(content, 'hex')));
      t.equal(server.refusal, 'malformed_change_cipher_spec', `${title}: ${content}`);
    }
  }
});

test('application data before Finished is refused, and never delivered (RFC 5246, 6.2.1)', async (t) => {
  for (const [title, reach] of STAGES) {
    const { server, client, expects } = reach();
    if (expects.includes('data')) continue;
    server.receive(client.seal(23, Buffer.from('MAIL FROM:<>\r\n')));
    t.equal(server.refusal, 'unexpected_record', title);
    t.equal(server.received.length, 0);
  }
});

test('clear text is refused where encrypted records are due', async (t) => {
  for (const [title, reach] of STAGES) {
    const { server, client, protectedReads } = reach();
    if (!protectedReads) continue;
    for (const type of [21, 22, 23]) {
      const { server: again } = type === 21 ? { server } : reach();
      again.receive(record(type, client.server!.version, Buffer.alloc(40, 1)));
      t.equal(again.refusal, 'bad_record_mac', `${title}, type ${type}`);
    }
  }
});

test('content types that do not exist are refused in every state (RFC 5246, 6)', async (t) => {
  for (const [title, reach] of STAGES) {
    for (const type of [0, 19, 24, 0x80, 0xff]) {
      const { server, client } = reach();
      server.receive(client.seal(type, Buffer.of(1, 2, 3)));
      t.equal(server.refusal, 'unexpected_record', `${title}: ${type}`);
    }
  }
});

test('whatever ended a connection, what follows changes nothing', async (t) => {
  for (const [title, reach] of STAGES) {
    const { server, client } = reach();
    server.receive(client.send(99, Buffer.alloc(0)));
    const { outcome } = server;
    server.take();
    server.receive(client.send(16, Buffer.alloc(10)));
    server.receive(client.hello());
    t.equal(server.outcome, outcome, title);
    t.equal(server.take().length, 0);
    t.equal(server.received.length, 0);
  }
});
