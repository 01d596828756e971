/** More than one process: what they share, and what the end of one means for the others. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';
import type { TestClient } from '../support/test-client.js';

const OLD = { format: 'record', version: 0x0301, suites: [0x002f] } as const;

interface Setup {
  readonly workers?: number | 'auto';
  readonly more?: ProxyConfig;
  /** A script that the first process runs before anything else. */
  readonly script?: string;
}

async function start(t: Test, { workers = 2, more = {}, script = '' }: Setup = {}): Promise<Program> {
  const sink = await startTestSink();
  const first = `if (!process.send) { ${script} }`;
  const program = await startProgram(
    proxyConfig({
      server: { workers },
      listeners: [{ mode: 'implicit' }],
      backend: { address: sink.port },
      tls: { profile: 'ancient' },
      log: { level: 'debug' },
      ...more,
      limits: { 'shutdown-timeout': '300ms', ...more.limits },
    }),
    1,
    { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(first)}` } },
  );
  await program.next('started');
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  return program;
}

interface Opened {
  readonly client: SmtpClient;
  readonly sessionId: Buffer;
  readonly tls: TestClient;
  /** Which process serves it. */
  readonly pid: number;
}

async function open(program: Program): Promise<Opened> {
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  const { pid } = await program.next('connection_opened');
  const tls = await client.secureLikeOld(OLD);
  await client.reply();
  await client.command('EHLO old.example');
  return { client, tls, sessionId: tls.server!.sessionId, pid: pid as number };
}

/** @returns undefined where there is none of that name */
async function metric(program: Program, name: string): Promise<string | undefined> {
  const { port } = program.log.find(({ event }) => event === 'admin_listening')!;
  const answer = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
  return new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'm').exec(await answer.text())?.[1];
}

/** Of the processes that run connections. */
function pidsOf({ pid }: Program): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
}

const ADMIN: ProxyConfig = { admin: { address: '127.0.0.1:0' } };

test('connections are spread, and a session begun in one process is resumed in another', async (t) => {
  const program = await start(t);
  const first = await open(program);
  const second = await SmtpClient.connect(program.ports.get('mx')!);
  const { pid } = await program.next('connection_opened');
  t.not(pid, first.pid, 'the second connection is served by another process');
  t.not(pid, program.pid);
  const { client, resumed } = await second.secureAgain({ ...OLD, sessionId: first.sessionId }, first.tls);
  t.ok(resumed);
  t.same(client.server!.sessionId, first.sessionId);
  await second.reply();
  await second.command('QUIT');
  t.match(await program.nextConnection(), { outcome: 'completed', tls: { resumed: true } });
  await first.client.command('QUIT');
});

test('the metrics have every process, and forget the connections of one that dies', async (t) => {
  const program = await start(t, { more: ADMIN });
  const first = await open(program);
  const second = await open(program);
  t.equal(await metric(program, 'oldhello_processes'), '3', 'this one and two workers');
  t.equal(await metric(program, 'oldhello_connections_active'), '2');
  process.kill(first.pid, 'SIGKILL');
  await program.next('worker_lost');
  // An answer that took long to make is kept for a moment.
  while ((await metric(program, 'oldhello_connections_active')) !== '1') await pause(50);
  t.pass('the connection of the dead process is gone, the other is there');
  await second.client.command('QUIT');
});

test('a process that dies takes its own connections with it, and another one takes its place', async (t) => {
  const program = await start(t);
  const one = await open(program);
  const other = await open(program);
  t.not(one.pid, other.pid);
  process.kill(one.pid, 'SIGKILL');
  await one.client.closed();
  t.match(await program.next('worker_lost'), {
    level: 'error',
    pid: one.pid,
    how: 'SIGKILL',
    connections: 1,
  });
  t.match(await program.nextConnection(), { outcome: 'worker_lost', fault: 'proxy' });
  t.match(await other.client.deliver('a@a.example', 'b@b.example', 'x'), /^250 /, 'nobody else is disturbed');
  const pids = new Set<number>();
  const later: SmtpClient[] = [];
  while (pids.size < 2) {
    const { client, pid } = await open(program);
    later.push(client);
    pids.add(pid);
  }
  t.notOk(pids.has(one.pid));
  for (const client of [other.client, ...later]) await client.command('QUIT');
});

test('limits count the connections of all processes together, also after one of them died', async (t) => {
  const program = await start(t, { more: { limits: { 'max-connections-per-address': 3 } } });
  const clients = [await open(program), await open(program), await open(program)];
  const refused = await SmtpClient.connect(program.ports.get('mx')!);
  await refused.closed();
  t.match(await program.nextConnection(), {
    outcome: 'limit_exceeded',
    reason: 'max-connections-per-address',
  });
  const dead = clients[0]!.pid;
  process.kill(dead, 'SIGKILL');
  await program.next('worker_lost');
  const again = await open(program);
  t.ok(again.client, 'the places of the dead are free again');
  for (const { client } of clients) client.destroy();
  again.client.destroy();
});

test('a reload reaches every process, and a stop ends every session with 421', async (t) => {
  const program = await start(t);
  const clients = [await open(program), await open(program)];
  const file = readFileSync(`${program.folder}/oldhello.toml`, 'utf8');
  program.configure(file.replace('proxy.example', 'renamed.example'));
  program.signal('SIGHUP');
  await program.next('reloaded');
  const later = [await open(program), await open(program)];
  t.not(later[0]!.pid, later[1]!.pid);
  program.signal('SIGTERM');
  for (const { client } of clients) t.match(await client.reply(), /^421 4\.3\.2 proxy\.example /);
  for (const { client } of later) t.match(await client.reply(), /^421 4\.3\.2 renamed\.example /);
  t.equal(await program.exited, 0);
});

test('"auto" is one process for each processor that the program may use', async (t) => {
  const program = await start(t, { workers: 'auto', more: ADMIN });
  t.equal(pidsOf(program).length, availableParallelism());
  t.equal(await metric(program, 'oldhello_processes'), String(1 + availableParallelism()));
});

test('a reload changes how many there are; who is served by one too many stays', async (t) => {
  const program = await start(t);
  const file = readFileSync(`${program.folder}/oldhello.toml`, 'utf8');
  const change = async (workers: number): Promise<void> => {
    program.configure(file.replace('workers = 2', `workers = ${workers}`));
    program.signal('SIGHUP');
    await program.next('reloaded');
  };
  await change(3);
  const three = [await open(program), await open(program), await open(program)];
  t.equal(new Set(three.map(({ pid }) => pid)).size, 3);
  await change(2);
  const later = [await open(program), await open(program)];
  t.equal(new Set([...three, ...later].map(({ pid }) => pid)).size, 3, 'the third gets no new ones');
  const third = three.find(({ pid }) => !later.some((other) => other.pid === pid))!;
  for (const { client } of [...three, ...later]) {
    t.match(await client.deliver('a@a.example', 'b@b.example', 'x'), /^250 /);
    await client.command('QUIT');
    t.match(await program.nextConnection(), { outcome: 'completed' });
  }
  await t.resolves(untilGone(third.pid), 'it ends with its last connection');
  t.equal(pidsOf(program).length, 2);
  t.equal(program.log.filter(({ event }) => event === 'worker_lost').length, 0);
});

test('a stop ends sessions of a process that is one too many as it does others', async (t) => {
  const program = await start(t);
  const clients = [await open(program), await open(program)];
  t.not(clients[0]!.pid, clients[1]!.pid);
  const file = readFileSync(`${program.folder}/oldhello.toml`, 'utf8');
  for (const workers of [3, 2]) {
    program.configure(file.replace('workers = 2', `workers = ${workers}`));
    program.signal('SIGHUP');
    await program.next('reloaded');
    if (workers === 3) clients.push(await open(program));
  }
  program.signal('SIGTERM');
  for (const { client } of clients) t.match(await client.reply(), /^421 4\.3\.2 /);
  t.equal(await program.exited, 0);
});

/** @throws when it does not go */
async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(10);
  }
  throw new Error(`process ${pid} does not end`);
}

test('a process that hangs is killed and replaced, and costs its own connections only', async (t) => {
  // Half a minute, in which a process that is merely slow comes round, becomes seven seconds.
  const script = 'const real = setInterval; globalThis.setInterval = (f, ms) => real(f, ms / 5);';
  const program = await start(t, { script });
  const [one, other] = [await open(program), await open(program)];
  process.kill(one.pid, 'SIGSTOP');
  const port = program.ports.get('mx')!;
  const before = openSockets(program.pid);
  const more = [];
  for (let count = 0; count < 6; count += 1) more.push(await SmtpClient.connect(port));
  t.match(await program.next('worker_lost'), { pid: one.pid, how: 'SIGKILL', connections: 4 });
  for (let count = 0; count < 4; count += 1) {
    const { outcome, durations } = await program.nextConnection();
    t.equal(outcome, 'worker_lost');
    t.ok(durations.total > 100, `${durations.total} ms from accept to the end of the process`);
  }
  await one.client.closed();
  await settled(
    3,
    more.map(({ gone }) => gone),
  );
  await t.resolves(untilNoOtherSocket(program.pid, before), 'also those that it was never given are closed');
  t.match(await other.client.deliver('a@a.example', 'b@b.example', 'x'), /^250 /);
  const later = [other];
  while (later.at(-1)!.pid === other.pid) later.push(await open(program));
  t.not(later.at(-1)!.pid, one.pid, 'there are two again');
  for (const { client } of later) await client.command('QUIT');
});

/** Resolves when so many of `all` have. */
function settled(count: number, all: readonly Promise<unknown>[]): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    for (const one of all) void one.then(() => (left -= 1) === 0 && resolve());
  });
}

for (const place of ['/nonexistent', 'not\\0a path']) {
  test(`where no process can be started (${place}), clients wait, but not for ever, and reloads go on`, async (t) => {
    const script = `
      const real = process.execPath;
      process.on('SIGUSR2', () => {
        process.execPath = process.execPath === real ? '${place}' : real;
      });`;
    const program = await start(t, { script });
    const loseAll = async (): Promise<void> => {
      program.signal('SIGUSR2');
      const left = new Set(pidsOf(program).map(Number));
      for (const pid of left) process.kill(pid, 'SIGKILL');
      while (left.size > 0) left.delete(Number((await program.next('worker_lost'))['pid']));
    };
    await loseAll();
    t.match(await program.next('worker_lost'), { pid: 0, how: /ENOENT|null bytes/ });
    const waiting = await SmtpClient.connect(program.ports.get('mx')!);
    const file = readFileSync(`${program.folder}/oldhello.toml`, 'utf8');
    program.configure(file.replace('name = "mx"', 'name = "renamed"'));
    program.signal('SIGHUP');
    await program.next('reloaded');
    await waiting.gone;
    t.match(
      await program.nextConnection(),
      { outcome: 'worker_lost' },
      'who came to what is gone is turned away',
    );
    const port = Number(program.log.findLast(({ event }) => event === 'listening')!['port']);

    const patient = await SmtpClient.connect(port);
    program.signal('SIGUSR2');
    await patient.secureLikeOld(OLD);
    t.match(await patient.reply(), /^220 /, 'who waits is served as soon as there is a process');
    patient.destroy();
    await program.nextConnection();

    await loseAll();
    const late = await SmtpClient.connect(port);
    await late.gone;
    t.match(await program.nextConnection(), { outcome: 'worker_lost' });
    program.signal('SIGTERM');
    t.equal(await program.exited, 0, 'and a stop is no different');
  });
}

test('what keeps dying young is started again later and later, and at once after it has lived long', async (t) => {
  const script = `
    const now = performance.now.bind(performance);
    let later = 0;
    performance.now = () => now() + later;
    process.on('SIGUSR2', () => { later += 3_600_000; });`;
  const program = await start(t, { script });
  const lose = async ({ pid, client }: Opened): Promise<unknown> => {
    process.kill(pid, 'SIGKILL');
    const { restart } = await program.next('worker_lost');
    client.destroy();
    return restart;
  };
  for (const delay of [100, 200, 400, 800]) t.equal(await lose(await open(program)), delay);
  const old = await open(program);
  program.signal('SIGUSR2');
  const later = await open(program);
  t.equal(await lose(old), 0);
  later.client.destroy();
});
