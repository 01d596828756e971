/**
 * Damaged input of every kind, at every entry: nothing may throw, hang, grow without bound, or be answered with
 * internal_error. OLDHELLO_FUZZ_INPUTS says how many inputs each target gets, OLDHELLO_FUZZ_SEED where to begin. With
 * OLDHELLO_FUZZ_GUIDED an input that reaches code which none before it reached is kept, and damaged further. `npm run
 * fuzz` does so for minutes. A failure names the input itself.
 */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { limitText } from '../src/config/limit-text.js';
import { ConnectionRecord } from '../src/observe/connection-record.js';
import { explainFailure } from '../src/observe/explain.js';
import { describeHello } from '../src/observe/hello-description.js';
import { ServerHelloWatch } from '../src/observe/hello/server-hello.js';
import { Metrics } from '../src/observe/metrics.js';
import { eventSentence } from '../src/observe/sentence.js';
import { StatusBoard } from '../src/observe/status/status.js';
import { GATE_REFUSALS } from '../src/smtp/gate-refusals.js';
import { Gate } from '../src/smtp/gate.js';
import { decodeProxyHeader } from '../src/proxy-protocol/decode.js';
import { encodeProxyV1 } from '../src/proxy-protocol/v1.js';
import { encodeProxyV2 } from '../src/proxy-protocol/v2.js';
import {
  Acceptor,
  PRESETS,
  REFUSALS,
  SessionCache,
  TicketKeys,
  TICKET_KEY_LENGTH,
  type RefusalReason,
} from '../src/tls/index.js';
import { ContentType } from '../src/tls/code-points.js';
import { RecordLayer } from '../src/tls/record/record-layer.js';
import { TlsError } from '../src/tls/alert.js';
import { differencesFromDeclaration } from './support/event-shape.js';
import { Coverage } from './support/coverage.js';
import { EMPTY_SERVER_HELLO, serverHelloRecord } from './support/server-hellos.js';
import { makePast, play, RIGHT_SCRIPTS } from './support/scripted-client.js';
import { TestClient } from './support/test-client.js';
import { TestServer } from './support/test-server.js';
import { mutate, pieces, rngFrom, splice, type Rng } from './support/mutate.js';

const INPUTS = Number(process.env['OLDHELLO_FUZZ_INPUTS'] ?? 2000);
const FIRST_SEED = Number(process.env['OLDHELLO_FUZZ_SEED'] ?? 1);
const GUIDED = process.env['OLDHELLO_FUZZ_GUIDED'] !== undefined;

const captured = (
  JSON.parse(readFileSync(new URL('./vectors/hellos.json', import.meta.url), 'utf8')) as { hex: string }[]
).map(({ hex }) => Buffer.from(hex, 'hex'));

/** Says what is wrong, if anything is; `rng` is for what is not input, such as where bytes are cut. */
type Target = (input: Buffer, rng: Rng) => string | undefined;

interface Input {
  readonly bytes: Buffer;
  readonly seed: number;
}

/** Runs one target over all its inputs; the first that breaks something stops it. */
function run(name: string, inputs: number, seeds: readonly Buffer[], target: Target): void {
  void test(`${name}: ${inputs} damaged inputs`, async (t) => {
    const corpus = [...seeds];
    const coverage = GUIDED ? new Coverage((url) => url.includes('/src/')) : undefined;
    const seen = new Set<string>();
    let slowest = 0;
    const broken = ({ bytes, seed }: Input): boolean => {
      const from = performance.now();
      const wrong = attempt(target, bytes, rngFrom(seed));
      slowest = Math.max(slowest, performance.now() - from);
      if (wrong !== undefined) t.fail(`${bytes.toString('hex')}, seed ${seed}: ${wrong}`);
      return wrong !== undefined;
    };
    if (seeds.some((bytes, seed) => broken({ bytes, seed }))) return;
    const batchSize = Math.max(16, Math.ceil(inputs / COVERAGE_READINGS));
    for (let from = 0; from < inputs; from += batchSize) {
      const batch = Array.from({ length: Math.min(batchSize, inputs - from) }, (_, index): Input => {
        const seed = FIRST_SEED + from + index;
        const rng = rngFrom(seed);
        const one = corpus[rng(corpus.length)]!;
        const bytes = rng(8) === 0 ? splice(one, corpus[rng(corpus.length)]!, rng) : one;
        return { bytes: mutate(bytes, rng), seed };
      });
      if (batch.some(broken)) return;
      if (coverage === undefined) continue;
      for (const { bytes, blocks } of newGround(batch, coverage, seen, broken)) {
        for (const block of blocks) seen.add(block);
        corpus.push(bytes);
      }
    }
    coverage?.stop();
    const found = `${corpus.length} in the corpus, ${seen.size} blocks, the slowest ${slowest.toFixed(0)} ms`;
    if (GUIDED) t.comment(`${name}: ${inputs} inputs, ${found}`);
    t.pass('nothing broke');
  });
}

function attempt(target: Target, bytes: Buffer, rng: Rng): string | undefined {
  try {
    return target(Buffer.from(bytes), rng);
  } catch (error) {
    return error instanceof Error ? error.stack : String(error);
  }
}

/** Those of a batch that has just run which went where none went before, found by running halves of it again. */
function* newGround(
  batch: readonly Input[],
  coverage: Coverage,
  seen: ReadonlySet<string>,
  run: (input: Input) => unknown,
): Generator<{ bytes: Buffer; blocks: ReadonlySet<string> }> {
  const blocks = coverage.take();
  if (isSubset(blocks, seen)) return;
  if (batch.length === 1) {
    yield { bytes: batch[0]!.bytes, blocks };
    return;
  }
  const middle = batch.length >> 1;
  for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
    half.forEach(run);
    yield* newGround(half, coverage, seen, run);
  }
}

function isSubset(blocks: ReadonlySet<string>, of: ReadonlySet<string>): boolean {
  for (const block of blocks) if (!of.has(block)) return false;
  return true;
}

/** How often a target is asked what it has run, which costs as much as many small inputs. */
const COVERAGE_READINGS = 500;

function verdict(server: TestServer): string | undefined {
  if (server.refusal === 'internal_error' && server.outcome?.kind === 'refused') {
    return String((server.outcome.error.cause as Error | undefined)?.stack);
  }
  if (server.received.length > 0 && server.established === undefined) return 'data without a handshake';
  return undefined;
}

run('the acceptor', INPUTS * 10, captured, (input, rng) => {
  const acceptor = new Acceptor();
  for (const piece of pieces(input, rng)) {
    if (acceptor.push(Buffer.from(piece)) !== undefined) return undefined;
  }
  return input.length > 20_000 ? 'it keeps too much' : undefined;
});

run('a hello', INPUTS * 4, captured, (input, rng) => {
  const server = new TestServer();
  for (const piece of pieces(input, rng)) server.receive(piece);
  return verdict(server);
});

run('a hello that the host looked at first, or did not', INPUTS * 4, captured, (input, rng) => {
  const [looked, direct] = [new TestServer(), new TestServer()];
  direct.receive(input);
  looked.receiveAccepted(pieces(input, rng));
  const seen = (server: TestServer): string =>
    `${server.refusal ?? server.connection.state} ${server.connection.clientHello?.original.toString('hex')}`;
  return seen(looked) === seen(direct) ? undefined : `${seen(looked)}, and without: ${seen(direct)}`;
});

const pick = <T>(list: readonly T[], rng: Rng): T => list[rng(list.length)]!;

const board = new StatusBoard(limitText);
const metrics = new Metrics();
const reasons = Object.keys(REFUSALS) as RefusalReason[];

run('what is logged and counted of a hello', INPUTS * 4, captured, (input, rng) => {
  const accepted = new Acceptor().push(input);
  if (accepted?.kind !== 'client_hello') return undefined;
  const { hello } = accepted;
  describeHello(hello, undefined);
  explainFailure({
    reason: pick(reasons, rng),
    detail: undefined,
    hello,
    parameters: { ...PRESETS.ancient, credentials: [] },
  });
  const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
  record.setHello(hello);
  const event = record.event();
  for (const observer of [board.receive, metrics.receive]) {
    observer({ event: 'connection_closed', fields: event, level: 'info' });
  }
  if (event.hello === undefined) return 'it is not described';
  const line = { level: 'info', time: new Date(0).toISOString(), event: 'connection_closed', ...event };
  return differencesFromDeclaration({
    ...line,
    msg: eventSentence({ event: 'connection_closed', fields: event, level: 'info' }),
  })[0];
});

const serverHellos = [
  serverHelloRecord({ sessionId: 32, suite: 0xc02f }),
  serverHelloRecord({ sessionId: 0, suite: 0x1301, selectedVersion: 0x0304 }),
  EMPTY_SERVER_HELLO,
];

run("a backend's ServerHello that is watched", INPUTS * 10, serverHellos, (input, rng) => {
  const watch = new ServerHelloWatch();
  let agreed = 0;
  for (const piece of pieces(input, rng)) if (watch.push(piece) !== undefined) agreed += 1;
  return agreed > 1 ? 'it was read twice' : undefined;
});

run('garbage', INPUTS * 4, [Buffer.alloc(0)], (_input, rng) => {
  const server = new TestServer();
  const length = rng(200);
  for (const piece of pieces(Buffer.from(Array.from({ length }, () => rng(256))), rng)) server.receive(piece);
  return verdict(server);
});

const tickets = new TicketKeys(
  3600,
  () => 0,
  (length) => Buffer.alloc(length, 7),
);
tickets.setKeys([Buffer.alloc(TICKET_KEY_LENGTH, 9)]);

function newServer(): { server: TestServer; past: ReturnType<typeof makePast> } {
  const sessions = new SessionCache(2, 1000, () => 0);
  const past = makePast(sessions, tickets);
  return { server: new TestServer({ tickets }, sessions), past };
}

void test('clients that do everything right get through', async (t) => {
  for (const script of RIGHT_SCRIPTS) {
    const { server, past } = newServer();
    play(script, server, past);
    t.equal(server.established === undefined, false, script.toString('hex'));
    t.equal(server.received.length, 256);
    t.match(server.outcome, { kind: 'closed', by: 'client' });
  }
});

run('a client that does what it likes, at every state', INPUTS, RIGHT_SCRIPTS, (input) => {
  const { server, past } = newServer();
  play(input, server, past);
  return verdict(server);
});

const records = RIGHT_SCRIPTS.slice(0, 3).map((_, index) =>
  Buffer.concat([new TestClient({ version: 0x0300 + index }).hello(), Buffer.from('1503010002015a', 'hex')]),
);

run('the record layer in clear', INPUTS * 10, records, (input, rng) => {
  const layer = new RecordLayer({ largeRecords: rng(2) === 0 });
  if (rng(2) === 0) layer.useVersion(0x0301, true);
  let content = 0;
  try {
    for (const piece of pieces(input, rng)) {
      layer.push(piece);
      for (let one = layer.next(); one !== undefined; one = layer.next()) {
        if (!Object.values<number>(ContentType).includes(one.type)) return `type ${one.type}`;
        content += one.content.length;
      }
    }
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
  }
  return content > input.length ? 'more came out than went in' : undefined;
});

const ticket = makePast(new SessionCache(1, 1, () => 0), tickets).ticket;

run('tickets', INPUTS * 4, [ticket], (input) =>
  tickets.unprotect(input) !== undefined && !input.equals(ticket) ? 'a damaged ticket was taken' : undefined,
);

const header = {
  command: 'PROXY',
  source: { address: '192.0.2.1', port: 1 },
  destination: { address: '2001:db8::1', port: 2 },
} as const;
const facts = { uniqueId: 'id', ssl: { version: 'TLSv1', cipher: 'RC4-MD5' }, authority: 'a.example' };
const headers = [encodeProxyV1(header), encodeProxyV2(header, facts)];

run('PROXY headers', INPUTS * 10, headers, (bytes) => {
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

const CLIENT = Buffer.from(
  'EHLO a.example\r\nNOOP\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n.\r\nBDAT 3\r\nabcRSET\r\n',
);
const BACKEND = Buffer.from(
  '220 b.example\r\n250-b.example\r\n250-AUTH PLAIN X-PLUS\r\n250-STARTTLS\r\n250 SIZE\r\n250 ok\r\n354 go\r\n250 ok\r\n',
);

run('the gate, from both sides', INPUTS * 4, [CLIENT], (input, rng) => {
  const ended: string[] = [];
  const options = {
    hostname: 'h',
    starttls: pick(['offer', 'hide', 'active'] as const, rng),
    greeting: pick(['relay', 'swallow'] as const, rng),
    auth: pick(['offer', 'withhold'] as const, rng),
    bareLf: pick(['accept', 'reject'] as const, rng),
  } as const;
  const gate = new Gate(options, {
    toClient: () => undefined,
    toBackend: () => undefined,
    mayStartTls: () => true,
    starttlsDeclined: () => undefined,
    startTls: () => ended.push('tls'),
    passThrough: () => ended.push('through'),
    replied: () => undefined,
    mailBegins: () => undefined,
    refuse: (reason) => ended.push(GATE_REFUSALS[reason].meaning),
  });
  const client = [...pieces(input, rng)];
  const backend = [...pieces(mutate(BACKEND, rng), rng)];
  while (client.length > 0 || backend.length > 0) {
    if (backend.length > 0 && (client.length === 0 || rng(2) === 0)) gate.fromBackend(backend.shift()!);
    else gate.fromClient(client.shift()!);
  }
  return ended.length > 1 ? `it ended more than once: ${ended.join(', ')}` : undefined;
});
