/**
 * Damaged input of every kind, at every entry: nothing may throw, hang, grow without bound, or be answered with
 * internal_error. OLDHELLO_FUZZ_INPUTS says how many inputs each target gets, OLDHELLO_FUZZ_SEED where to begin;
 * `npm run fuzz` takes minutes. A failure names the seed of its input.
 */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { GATE_REFUSALS } from '../src/smtp/gate-refusals.js';
import { Gate } from '../src/smtp/gate.js';
import { decodeProxyHeader } from '../src/proxy-protocol/header.js';
import { encodeProxyV1 } from '../src/proxy-protocol/v1.js';
import { encodeProxyV2 } from '../src/proxy-protocol/v2.js';
import { HelloSniffer, SessionCache, TicketKeys, TICKET_KEY_LENGTH } from '../src/tls/index.js';
import { TestClient, vector16, type HelloOptions } from './support/test-client.js';
import { TestServer } from './support/test-server.js';
import { mutate, pieces, rngFrom, type Rng } from './support/mutate.js';

const INPUTS = Number(process.env['OLDHELLO_FUZZ_INPUTS'] ?? 2000);
const FIRST_SEED = Number(process.env['OLDHELLO_FUZZ_SEED'] ?? 1);

const captured = (
  JSON.parse(readFileSync(new URL('./vectors/hellos.json', import.meta.url), 'utf8')) as { hex: string }[]
).map(({ hex }) => Buffer.from(hex, 'hex'));

const OFFERS: readonly HelloOptions[] = [
  { format: 'sslv2', version: 0x0300, suites: [0x04, 0x010080] },
  { format: 'sslv2', version: 0x0303, suites: [0x2f, 0xff] },
  { version: 0x0301, suites: [0x0a] },
  { version: 0x0302, suites: [0x39] },
  { version: 0x0303, suites: [0x9c], extensions: [[23, Buffer.alloc(0)]] },
  {
    version: 0x0303,
    suites: [0xc02f, 0xc013],
    extensions: [
      [10, vector16(Buffer.from('001d0017', 'hex'))],
      [13, vector16(Buffer.from('0401', 'hex'))],
      [22, Buffer.alloc(0)],
      [35, Buffer.alloc(0)],
    ],
  },
  { version: 0x0303, suites: [0x3c], extensions: [[22, Buffer.alloc(0)]] },
];

/** Runs one target over all its inputs; the first input that breaks something stops it. */
function run(name: string, inputs: number, target: (rng: Rng) => string | undefined): void {
  void test(`${name}: ${inputs} damaged inputs`, async (t) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + inputs; seed += 1) {
      let wrong: string | undefined;
      try {
        wrong = target(rngFrom(seed));
      } catch (error) {
        wrong = error instanceof Error ? error.stack : String(error);
      }
      if (wrong !== undefined) {
        t.fail(`seed ${seed}: ${wrong}`);
        return;
      }
    }
    t.pass('nothing broke');
  });
}

const verdict = (server: TestServer): string | undefined =>
  server.refusal === 'internal_error' && server.outcome?.kind === 'refused'
    ? String((server.outcome.error.cause as Error | undefined)?.stack)
    : undefined;

const pick = <T>(list: readonly T[], rng: Rng): T => list[rng(list.length)]!;

run('the sniffer', INPUTS * 10, (rng) => {
  const sniffer = new HelloSniffer();
  for (const piece of pieces(mutate(pick(captured, rng), rng), rng)) {
    if (sniffer.push(piece).kind !== 'need_more') return undefined;
  }
  return sniffer.bytes.length > 100_000 ? 'it keeps too much' : undefined;
});

run('a hello', INPUTS * 4, (rng) => {
  const server = new TestServer();
  for (const piece of pieces(mutate(pick(captured, rng), rng), rng)) server.receive(piece);
  return verdict(server);
});

run('garbage', INPUTS * 4, (rng) => {
  const server = new TestServer();
  const length = rng(200);
  for (const piece of pieces(Buffer.from(Array.from({ length }, () => rng(256))), rng)) server.receive(piece);
  return verdict(server);
});

run('the second flight', INPUTS, (rng) => {
  const server = new TestServer();
  const client = new TestClient(pick(OFFERS, rng));
  server.receive(client.hello());
  client.receive(server.take());
  for (const piece of pieces(mutate(client.secondFlight(), rng), rng)) server.receive(piece);
  return verdict(server);
});

run('messages that are right but damaged inside', INPUTS, (rng) => {
  const server = new TestServer();
  const client = new TestClient(pick(OFFERS, rng));
  server.receive(client.hello());
  client.receive(server.take());
  const body = client.clientKeyExchange();
  const keyExchange = client.send(16, rng(2) === 0 ? mutate(body, rng) : body);
  const changeCipherSpec = client.changeCipherSpec();
  client.protectWrites();
  const finished = rng(2) === 0 ? client.finished() : client.seal(22, mutate(Buffer.alloc(16, 20), rng));
  for (const piece of pieces(Buffer.concat([keyExchange, changeCipherSpec, finished]), rng))
    server.receive(piece);
  return verdict(server);
});

run('records after the handshake', INPUTS, (rng) => {
  const server = new TestServer();
  const client = new TestClient(pick(OFFERS, rng));
  server.receive(client.hello());
  client.receive(server.take());
  server.receive(client.secondFlight());
  const inside = client.seal(20 + rng(4), mutate(Buffer.from('\x01\x00\x00\x05hello'), rng));
  const damaged = rng(2) === 0 ? mutate(inside, rng) : inside;
  for (const piece of pieces(Buffer.concat([damaged, client.seal(23, Buffer.alloc(rng(300)))]), rng))
    server.receive(piece);
  return verdict(server);
});

const tickets = new TicketKeys(
  3600,
  () => 0,
  (length) => Buffer.alloc(length, 7),
);
tickets.use([Buffer.alloc(TICKET_KEY_LENGTH, 9)]);
const ticket = tickets.protect({
  version: 0x0303,
  cipherSuite: 0x2f,
  masterSecret: Buffer.alloc(48, 1),
  extendedMasterSecret: false,
  encryptThenMac: false,
  maxFragmentLength: undefined,
  serverName: 'a.example',
  context: 'test',
});

run('tickets', INPUTS * 4, (rng) => {
  const damaged = mutate(ticket, rng);
  return tickets.unprotect(damaged) !== undefined && !damaged.equals(ticket)
    ? 'a damaged ticket was taken'
    : undefined;
});

run('resumption', INPUTS, (rng) => {
  const server = new TestServer({ tickets }, new SessionCache(1, 1, () => 0));
  const extensions = [[35, mutate(ticket, rng)] as const];
  for (const piece of pieces(new TestClient({ extensions, sessionId: Buffer.alloc(rng(40)) }).hello(), rng))
    server.receive(piece);
  return verdict(server);
});

const header = {
  command: 'PROXY',
  source: { address: '192.0.2.1', port: 1 },
  destination: { address: '2001:db8::1', port: 2 },
} as const;
const facts = { uniqueId: 'id', ssl: { version: 'TLSv1', cipher: 'RC4-MD5' }, authority: 'a.example' };
const headers = [encodeProxyV1(header), encodeProxyV2(header, facts)];

run('PROXY headers', INPUTS * 10, (rng) => {
  const bytes = mutate(pick(headers, rng), rng);
  const whole = decodeProxyHeader(bytes);
  for (let length = 0; length < bytes.length; length += 1) {
    const decoded = decodeProxyHeader(bytes.subarray(0, length));
    if ('need' in decoded) continue;
    // What is decided early is decided the same when more has come.
    return JSON.stringify(decoded) === JSON.stringify(whole)
      ? undefined
      : `prefix of ${length}: ${JSON.stringify(decoded)}`;
  }
  return undefined;
});

const CLIENT = Buffer.from('EHLO a.example\r\nNOOP\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n');
const BACKEND = Buffer.from(
  '220 b.example\r\n250-b.example\r\n250-AUTH PLAIN X-PLUS\r\n250-STARTTLS\r\n250 SIZE\r\n250 ok\r\n',
);

run('the gate, from both sides', INPUTS * 4, (rng) => {
  const ended: string[] = [];
  const options = {
    hostname: 'h',
    starttls: pick(['offer', 'hide', 'active'] as const, rng),
    greeting: pick(['relay', 'swallow'] as const, rng),
    auth: 'offer',
  } as const;
  const gate = new Gate(options, {
    toClient: () => undefined,
    toBackend: () => undefined,
    mayStartTls: () => true,
    starttlsDeclined: () => undefined,
    startTls: () => ended.push('tls'),
    passThrough: () => ended.push('through'),
    refuse: (reason) => ended.push(GATE_REFUSALS[reason].means),
  });
  const client = [...pieces(mutate(CLIENT, rng), rng)];
  const backend = [...pieces(mutate(BACKEND, rng), rng)];
  while (client.length > 0 || backend.length > 0) {
    if (backend.length > 0 && (client.length === 0 || rng(2) === 0)) gate.fromBackend(backend.shift()!);
    else gate.fromClient(client.shift()!);
  }
  return ended.length > 1 ? `it ended more than once: ${ended.join(', ')}` : undefined;
});
