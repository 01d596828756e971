import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { test } from 'tap';
import {
  PRESETS,
  SessionCache,
  TicketKeys,
  TICKET_KEY_LENGTH,
  type ServerParameters,
} from '../../src/tls/index.js';
import { MAX_TICKETS_PER_KEY } from '../../src/tls/session/tickets.js';
import { record } from '../support/reference-protection.js';
import { TestClient, vector16, type HelloOptions } from '../support/test-client.js';
import { TestServer } from '../support/test-server.js';

const EMS = [23, Buffer.alloc(0)] as const;
const EMPTY_TICKET = [35, Buffer.alloc(0)] as const;
const serverName = (name: string) =>
  [0, vector16(Buffer.concat([Buffer.of(0), vector16(Buffer.from(name))]))] as const;

const newCache = (): SessionCache => new SessionCache(10, 1000, () => 0);

function full(options: HelloOptions, parameters: Partial<ServerParameters>, cache: SessionCache): TestClient {
  const client = new TestClient(options);
  const server = new TestServer(parameters, cache);
  server.receive(client.hello());
  client.receive(server.take());
  server.receive(client.secondFlight());
  client.receive(server.take());
  return client;
}

/** Comes back with what `earlier` got; says how that went. */
function again(
  earlier: TestClient,
  options: HelloOptions,
  parameters: Partial<ServerParameters>,
  cache: SessionCache,
): { server: TestServer; client: TestClient; result: string } {
  const client = new TestClient(options);
  const server = new TestServer(parameters, cache);
  client.resume(earlier.master!);
  server.receive(client.hello());
  client.receive(server.take());
  if (server.outcome !== undefined) return { server, client, result: server.refusal ?? 'ended' };
  if (client.messages.includes(14)) return { server, client, result: 'full' };
  const changeCipherSpec = client.changeCipherSpec();
  client.protectWrites();
  server.receive(Buffer.concat([changeCipherSpec, client.finished()]));
  const both = server.established?.resumed === true && client.serverFinished;
  return { server, client, result: both ? 'resumed' : (server.refusal ?? 'broken') };
}

test('a session resumes by its id, in every version (RFC 5246, 7.3)', async (t) => {
  for (const version of [0x0300, 0x0301, 0x0302, 0x0303]) {
    const cache = newCache();
    const first = full({ version, suites: [0x2f, 0x05] }, {}, cache);
    t.equal(first.server!.sessionId.length, 32);
    const { result, client } = again(
      first,
      { version, suites: [0x2f, 0x05], sessionId: first.server!.sessionId },
      {},
      cache,
    );
    t.equal(result, 'resumed');
    t.same(client.server!.sessionId, first.server!.sessionId);
  }
});

test('a session begun in SSLv2 format goes on in record format, in every version', async (t) => {
  for (const version of [0x0300, 0x0301, 0x0302, 0x0303]) {
    const cache = newCache();
    const first = full({ format: 'sslv2', version }, {}, cache);
    const { sessionId } = first.server!;
    t.equal(sessionId.length, 32, 'the first contact brings an id to come back with');
    const { result, client } = again(first, { version, sessionId }, {}, cache);
    t.equal(result, 'resumed', version.toString(16));
    t.same(client.server!.sessionId, sessionId);
    if (version === 0x0300) continue;
    const extended = again(first, { version, sessionId, extensions: [EMS] }, {}, cache);
    t.equal(extended.result, 'full', 'it has no extended master secret (RFC 7627, 5.3)');
  }
});

test('an SSLv2-format hello resumes nothing (RFC 5246, E.2)', async (t) => {
  const cache = newCache();
  const first = full({ version: 0x0301 }, {}, cache);
  const sessionId = first.server!.sessionId;
  const { result } = again(first, { format: 'sslv2', version: 0x0301, sessionId }, {}, cache);
  t.equal(result, 'full');
});

test('what has changed since makes a full handshake', async (t) => {
  const cases: [string, HelloOptions, HelloOptions, Partial<ServerParameters>?][] = [
    ['another version', { version: 0x0302 }, { version: 0x0301 }],
    ['the suite is not offered any more', { suites: [0x2f] }, { suites: [0x35] }],
    [
      'another server name (RFC 6066, 3)',
      { extensions: [serverName('a.example')] },
      { extensions: [serverName('b.example')] },
    ],
    ['no extended master secret then, one now (RFC 7627, 5.3)', {}, { extensions: [EMS] }],
    ['another policy', {}, {}, { sessionContext: 'another' }],
    [
      'the suite is not allowed any more',
      { suites: [0x04] },
      { suites: [0x04, 0x2f] },
      { cipherSuites: PRESETS.ancient.cipherSuites.filter(({ id }) => id !== 0x04) },
    ],
  ];
  for (const [name, before, after, parameters = {}] of cases) {
    const cache = newCache();
    const first = full(before, {}, cache);
    const { result } = again(first, { ...after, sessionId: first.server!.sessionId }, parameters, cache);
    t.equal(result, 'full', name);
  }
});

test('a client that drops the extended master secret of a session is refused (RFC 7627, 5.3)', async (t) => {
  const cache = newCache();
  const first = full({ extensions: [EMS] }, {}, cache);
  const sessionId = first.server!.sessionId;
  t.equal(again(first, { extensions: [EMS], sessionId }, {}, cache).result, 'resumed');
  t.equal(again(first, { sessionId }, {}, cache).result, 'extended_master_secret_missing');
});

test('a fatal alert makes a session unresumable (RFC 5246, 7.2.2)', async (t) => {
  const cache = newCache();
  const client = new TestClient();
  const server = new TestServer({}, cache);
  server.receive(client.hello());
  client.receive(server.take());
  server.receive(client.secondFlight());
  client.receive(server.take());
  server.receive(client.seal(21, Buffer.of(2, 80)));
  t.equal(again(client, { sessionId: client.server!.sessionId }, {}, cache).result, 'full');
});

test('what comes before Finished does not end a session: anybody may have seen its id', async (t) => {
  const cache = newCache();
  const first = full({}, {}, cache);
  const { sessionId } = first.server!;
  for (const bytes of [record(21, 0x0301, Buffer.of(2, 80)), record(23, 0x0301, Buffer.of(0))]) {
    const stranger = new TestServer({}, cache);
    stranger.receive(new TestClient({ sessionId }).hello());
    stranger.receive(bytes);
    t.not(stranger.outcome, undefined);
    t.equal(cache.size, 1);
  }
  const client = new TestClient({ sessionId });
  const server = new TestServer({}, cache);
  client.resume(first.master!);
  server.receive(client.hello());
  client.receive(server.take());
  const changeCipherSpec = client.changeCipherSpec();
  client.protectWrites();
  server.receive(Buffer.concat([changeCipherSpec, client.send(20, Buffer.alloc(12))]));
  t.equal(server.refusal, 'bad_finished');
  t.equal(again(first, { sessionId }, {}, cache).result, 'resumed');
});

test('a fatal alert after a resumption ends the session', async (t) => {
  const cache = newCache();
  const first = full({}, {}, cache);
  const { sessionId } = first.server!;
  const { server, client, result } = again(first, { sessionId }, {}, cache);
  t.equal(result, 'resumed');
  server.receive(client.seal(21, Buffer.of(2, 20)));
  t.equal(again(first, { sessionId }, {}, cache).result, 'full');
});

test('encrypt-then-MAC is never given up in a resumption, but may be taken up (RFC 7366, 3.1)', async (t) => {
  const ETM = [22, Buffer.alloc(0)] as const;
  const cases = [
    [[ETM], [], 'full', false],
    [[], [ETM], 'resumed', true],
    [[ETM], [ETM], 'resumed', true],
  ] as const;
  for (const [before, after, expected, encryptThenMac] of cases) {
    const cache = newCache();
    const first = full({ extensions: before }, {}, cache);
    const { result, client } = again(
      first,
      { extensions: after, sessionId: first.server!.sessionId },
      {},
      cache,
    );
    t.equal(result, expected);
    t.equal(client.server!.extensions.has(22), encryptThenMac);
  }
});

test('max_fragment_length lasts for all resumptions of its session (RFC 6066, 4)', async (t) => {
  const mfl = (value: number) => [1, Buffer.of(value)] as const;
  const cache = newCache();
  const first = full({ extensions: [mfl(2)] }, {}, cache);
  const { sessionId } = first.server!;
  const { server, client, result } = again(first, { extensions: [mfl(2)], sessionId }, {}, cache);
  t.equal(result, 'resumed');
  t.same(client.server!.extensions.get(1), Buffer.of(2));
  t.equal(server.established?.maxFragmentLength, 1024);
  t.equal(again(first, { extensions: [mfl(3)], sessionId }, {}, cache).result, 'full', 'another value');
  t.equal(again(first, { sessionId }, {}, cache).result, 'full', 'none any more');
});

test('a resumed ServerHello repeats renegotiation_info and nothing about the name (RFC 5746, 3.6; RFC 6066, 3)', async (t) => {
  const cache = newCache();
  const options = { suites: [0x2f, 0xff], extensions: [serverName('rsa.example')] };
  const first = full(options, {}, cache);
  t.ok(first.server!.extensions.has(0), 'the first one says that the name was used');
  const { client, result } = again(first, { ...options, sessionId: first.server!.sessionId }, {}, cache);
  t.equal(result, 'resumed');
  t.same(client.server!.extensions.get(0xff01), Buffer.of(0));
  t.notOk(client.server!.extensions.has(0));
});

test('SSLv3 has no extensions: they neither stop a resumption nor begin one (RFC 7627, 6.4; RFC 5077)', async (t) => {
  const tickets = newTickets();
  const cache = newCache();
  const options = {
    version: 0x0300,
    suites: [0x2f],
    extensions: [EMS, EMPTY_TICKET, serverName('rsa.example')],
  };
  const first = full(options, { tickets }, cache);
  t.equal(first.server!.extensions.size, 0);
  t.equal(first.ticket, undefined);
  const { result } = again(first, { ...options, sessionId: first.server!.sessionId }, { tickets }, cache);
  t.equal(result, 'resumed');
  const withTicket = { ...options, extensions: [[35, Buffer.alloc(200, 7)] as const] };
  const { sessionId } = first.server!;
  t.equal(again(first, { ...withTicket, sessionId }, { tickets }, cache).result, 'resumed');
});

test('where a ticket comes, the session id is not looked up (RFC 5077, 3.4)', async (t) => {
  const tickets = newTickets();
  const cache = newCache();
  const first = full({}, {}, cache);
  const extensions = [[35, Buffer.alloc(200, 7)] as const];
  const { server, result } = again(
    first,
    { extensions, sessionId: first.server!.sessionId },
    { tickets },
    cache,
  );
  t.equal(result, 'full');
  t.same(
    server.operations.filter(({ kind }) => kind === 'find_session'),
    [],
  );
});

test('an empty ticket is none, so the session id counts (RFC 5077, 3.2)', async (t) => {
  const cache = newCache();
  const first = full({}, {}, cache);
  const options = { extensions: [EMPTY_TICKET], sessionId: first.server!.sessionId };
  const { client, result } = again(first, options, { tickets: newTickets() }, cache);
  t.equal(result, 'resumed');
  t.notOk(client.server!.extensions.has(35), 'a resumption brings no ticket, and promises none');
});

test('where there are no session ids, none is given out and none looked up', async (t) => {
  const client = new TestClient({ sessionId: Buffer.alloc(32, 1) });
  const server = new TestServer({ sessionIds: false });
  server.receive(client.hello());
  client.receive(server.take());
  t.same(server.operations, []);
  t.equal(client.server!.sessionId.length, 0);
});

test('a store may answer whenever it likes, and failing is having nothing', async (t) => {
  const cache = newCache();
  const first = full({}, {}, cache);
  const { sessionId } = first.server!;
  const attempt = (answer: (server: TestServer) => void): { server: TestServer; messages: number[] } => {
    const server = new TestServer({}, cache);
    const client = new TestClient({ sessionId });
    client.resume(first.master!);
    server.hold = true;
    server.receive(client.hello());
    t.equal(server.take().length, 0, 'nothing is said before the answer');
    t.equal(server.connection.wantsInput, false);
    answer(server);
    client.receive(server.take());
    return { server, messages: client.messages };
  };
  t.same(attempt((server) => server.completeOperations()).messages, [2, 20], 'found');
  t.same(attempt((server) => server.connection.complete(undefined)).messages, [2, 11, 14], 'not found');
  t.same(attempt((server) => server.connection.complete(new Error('gone'))).messages, [2, 11, 14], 'failed');
  t.same(attempt((server) => server.connection.complete(Buffer.alloc(3))).messages, [2, 11, 14], 'nonsense');
  const { messages } = attempt((server) => {
    server.connection.complete(undefined);
    server.completeOperations();
  });
  t.same(messages, [2, 11, 14], 'an answer that comes too late changes nothing');
});

test('an answer that comes twice is not taken for that of the next question', async (t) => {
  const server = new TestServer();
  server.hold = true;
  const client = new TestClient({ sessionId: Buffer.alloc(32, 1) });
  server.receive(client.hello());
  server.connection.complete(undefined);
  server.connection.complete(undefined);
  client.receive(server.take());
  server.hold = false;
  server.receive(client.secondFlight());
  t.ok(server.established);
});

test('what leaves the cache is wiped', async (t) => {
  let now = 0;
  const cache = new SessionCache(2, 1000, () => now);
  const clients = [full({}, {}, cache), full({}, {}, cache)];
  const secrets = clients.map((client) => cache.find(client.server!.sessionId)!.masterSecret);
  const memory = Buffer.from(secrets[0]!.buffer);
  const gone = Buffer.from(secrets[0]!);
  t.ok(memory.includes(gone));
  full({}, {}, cache);
  t.notOk(memory.includes(gone), 'what gave way');
  cache.forget(clients[1]!.server!.sessionId);
  t.same(secrets[1], Buffer.alloc(48), 'what was forgotten');
  const last = full({}, {}, cache);
  const secret = cache.find(last.server!.sessionId)!.masterSecret;
  now = 1000;
  cache.find(Buffer.alloc(32));
  t.same(secret, Buffer.alloc(48), 'what is too old');
});

test('a kept session holds no memory but its own, and the secret it came with is wiped', async (t) => {
  const cache = newCache();
  const first = full({}, {}, cache);
  const id = first.server!.sessionId;
  const kept = cache.find(id)!.masterSecret.buffer.byteLength;
  t.equal(kept, 10 * 48, 'those of as many as may come, and not the pool that small buffers are cut from');
  const given = { ...cache.find(id)!, masterSecret: Buffer.alloc(48, 1) };
  cache.save(id, given);
  t.same(given.masterSecret, Buffer.alloc(48));
  t.same(cache.find(id)!.masterSecret, Buffer.alloc(48, 1));
});

test('sessions expire by age, and the oldest make room for new ones', async (t) => {
  let now = 0;
  const cache = new SessionCache(2, 1000, () => now);
  const clients = [full({}, {}, cache), full({}, {}, cache), full({}, {}, cache)];
  t.equal(cache.size, 2);
  const result = (index: number): string =>
    again(clients[index]!, { sessionId: clients[index]!.server!.sessionId }, {}, cache).result;
  t.equal(result(1), 'resumed');
  t.equal(result(0), 'full', 'which makes another session, and the second one gives way');
  t.equal(result(2), 'resumed');
  now = 1000;
  t.equal(result(2), 'full');
  const none = new SessionCache(0, 1000, () => now);
  full({}, {}, none);
  t.equal(none.size, 0, 'a cache for none keeps none');
});

test('the oldest make room also where some in between were forgotten, or saved again', async (t) => {
  const cache = new SessionCache(3, 1000, () => 0);
  const id = (number: number): Buffer => Buffer.alloc(32, number);
  const other = newCache();
  const session = other.find(full({}, {}, other).server!.sessionId)!;
  const save = (number: number): void =>
    cache.save(id(number), { ...session, masterSecret: Buffer.alloc(48, number) });
  const kept = (): number[] =>
    [...Array(20).keys()].filter((number) => cache.find(id(number))?.masterSecret[47] === number);
  for (const number of [1, 2, 3]) save(number);
  cache.forget(id(2));
  cache.forget(id(2));
  save(4);
  t.same(kept(), [3, 4], 'a place that is free in the middle is not looked for');
  save(3);
  save(5);
  t.same(kept(), [3, 4, 5]);
  for (const number of [6, 7]) save(number);
  t.same(kept(), [5, 6, 7]);
  for (const number of [5, 6, 7]) cache.forget(id(number));
  t.same([kept(), cache.size], [[], 0]);
  for (const number of [8, 9, 10, 11]) save(number);
  t.same([kept(), cache.size], [[9, 10, 11], 3]);
});

function newTickets(now: () => number = () => 1000): TicketKeys {
  const tickets = new TicketKeys(3600, now, randomBytes);
  tickets.setKeys([randomBytes(TICKET_KEY_LENGTH)]);
  return tickets;
}

test('a session resumes by its ticket (RFC 5077)', async (t) => {
  for (const version of [0x0301, 0x0303]) {
    const tickets = newTickets();
    const first = full({ version, extensions: [EMPTY_TICKET, EMS] }, { tickets }, newCache());
    t.ok(first.ticket, 'NewSessionTicket came');
    t.equal(first.server!.sessionId.length, 0, 'and no session id with it (RFC 5077, 3.4)');
    t.ok(first.serverFinished, 'and it is part of what Finished covers (RFC 5077, 3.3)');
    t.same(first.messages.slice(-2), [4, 20], 'in front of it');
    const extensions = [[35, first.ticket!] as const, EMS];
    const { result, client } = again(
      first,
      { version, extensions, sessionId: Buffer.alloc(32, 7) },
      { tickets },
      newCache(),
    );
    t.equal(result, 'resumed');
    t.same(client.server!.sessionId, Buffer.alloc(32, 7), 'the client recognises it by its own id');
    t.notOk(client.server!.extensions.has(35), 'no other one is promised, for none comes (RFC 5077, 3.3)');
  }
});

test('a ticket that is damaged, foreign, too old or of a forgotten key means a full handshake, never an alert', async (t) => {
  let now = 1000;
  const tickets = newTickets(() => now);
  const first = full({ extensions: [EMPTY_TICKET] }, { tickets }, newCache());
  const attempt = (ticket: Buffer, by = tickets): string =>
    again(first, { extensions: [[35, ticket]] }, { tickets: by }, newCache()).result;
  t.equal(attempt(first.ticket!), 'resumed');
  for (let at = 0; at < first.ticket!.length; at += 1) {
    const damaged = Buffer.from(first.ticket!);
    damaged[at]! ^= 1;
    if (attempt(damaged) !== 'full') t.fail(`byte ${at}`);
  }
  for (let length = 1; length < first.ticket!.length; length += 1) {
    if (attempt(first.ticket!.subarray(0, length)) !== 'full') t.fail(`${length} bytes`);
  }
  t.equal(attempt(Buffer.alloc(5000)), 'full');
  t.equal(attempt(first.ticket!, newTickets()), 'full');
  now += 3601;
  t.equal(attempt(first.ticket!), 'full');
});

test('tickets outlive a change of keys, as long as the old key is kept', async (t) => {
  const keys = [randomBytes(TICKET_KEY_LENGTH), randomBytes(TICKET_KEY_LENGTH)];
  const tickets = new TicketKeys(3600, () => 0, randomBytes);
  tickets.setKeys([keys[0]!]);
  const first = full({ extensions: [EMPTY_TICKET] }, { tickets }, newCache());
  tickets.setKeys([keys[1]!, keys[0]!]);
  t.equal(again(first, { extensions: [[35, first.ticket!]] }, { tickets }, newCache()).result, 'resumed');
  tickets.setKeys([keys[1]!]);
  t.equal(again(first, { extensions: [[35, first.ticket!]] }, { tickets }, newCache()).result, 'full');
});

test('a ticket key has 48 bytes, and without one nothing is protected', async (t) => {
  const tickets = new TicketKeys(3600, () => 0, randomBytes);
  t.throws(() => tickets.setKeys([]), RangeError);
  t.throws(() => tickets.setKeys([Buffer.alloc(TICKET_KEY_LENGTH - 1)]), RangeError);
  t.throws(() => tickets.protect(SESSION), /no ticket key/);
  t.equal(tickets.unprotect(Buffer.alloc(200)), undefined);
});

test('a ticket key stops long before its nonces can repeat, and the client gets an empty ticket (RFC 5077, 3.3)', async (t) => {
  const tickets = new TicketKeys(3600, () => 0, randomBytes, 3);
  const key = randomBytes(TICKET_KEY_LENGTH);
  const made = (): boolean => tickets.protect(SESSION) !== undefined;
  tickets.setKeys([key]);
  t.same([made(), made()], [true, true]);
  tickets.setKeys([Buffer.from(key), randomBytes(TICKET_KEY_LENGTH)]);
  t.same([made(), made()], [true, false], 'the same key again is the same key');
  const client = full({ extensions: [EMPTY_TICKET] }, { tickets }, newCache());
  t.equal(client.serverFinished, true);
  t.same(client.ticket, Buffer.alloc(0));
  tickets.setKeys([randomBytes(TICKET_KEY_LENGTH), key]);
  t.equal(made(), true, 'until there is a new key');
  t.ok(MAX_TICKETS_PER_KEY * 64 <= 2 ** 32, 'NIST SP 800-38D, 8.3, for 64 processes that share a key');
});

test('what is protected opens only for what it was bound to, and only in the layout of this program', async (t) => {
  const key = randomBytes(TICKET_KEY_LENGTH);
  const tickets = new TicketKeys(3600, () => 0x12345678, randomBytes);
  tickets.setKeys([key]);
  const [here, there] = [Buffer.from('here'), Buffer.from('there')];
  const bound = tickets.protect(SESSION, here)!;
  t.same(tickets.unprotect(bound, here), SESSION);
  t.equal(tickets.unprotect(bound, there), undefined);
  t.equal(tickets.unprotect(bound), undefined);
  t.notSame(tickets.protect(SESSION), tickets.protect(SESSION), 'each has a nonce of its own');

  const state = opened(key, tickets.protect(SESSION)!);
  t.same(tickets.unprotect(closed(key, state)), SESSION);
  const changes: Record<string, (bytes: Buffer) => Buffer> = {
    'another format': (bytes) => bytes.fill(2, 0, 1),
    'a version that does not exist': (bytes) => bytes.fill(9, 5, 7),
    'a suite that does not exist': (bytes) => bytes.fill(9, 7, 9),
    'something behind it': (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
    'too little': (bytes) => bytes.subarray(0, -1),
    'a time before its time': (bytes) => bytes.fill(0, 1, 3),
  };
  for (const [title, change] of Object.entries(changes)) {
    t.equal(tickets.unprotect(closed(key, change(Buffer.from(state)))), undefined, title);
  }
});

const SESSION = {
  version: 0x0301,
  cipherSuite: 0x2f,
  masterSecret: Buffer.alloc(48, 5),
  extendedMasterSecret: true,
  encryptThenMac: false,
  maxFragmentLength: 512,
  serverName: 'a.example',
  context: 'test',
} as const;

/** The state in a ticket: key_name, nonce, ciphertext, tag. */
function opened(key: Buffer, ticket: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key.subarray(16), ticket.subarray(16, 28));
  return decipher.update(ticket.subarray(28, -16));
}

function closed(key: Buffer, state: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.subarray(16), nonce).setAAD(key.subarray(0, 16));
  const encrypted = [cipher.update(state), cipher.final()];
  return Buffer.concat([key.subarray(0, 16), nonce, ...encrypted, cipher.getAuthTag()]);
}
