/** More than one process: what they share, and what the end of one means for the others. */
import { readFileSync } from 'node:fs';
import { test, type Test } from 'tap';
import { startProgram, type Program } from '../support/program.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';
import type { TestClient } from '../support/test-client.js';

const OLD = { format: 'record', version: 0x0301, suites: [0x002f] } as const;

async function start(t: Test, more = ''): Promise<Program> {
  const sink = await startTestSink();
  const program = await startProgram(
    `
[server]
hostname = "proxy.example"
state-directory = "STATE"
workers = 2
[[listener]]
name = "mx"
address = "127.0.0.1:0"
mode = "implicit"
backend = "sink"
[[backend]]
name = "sink"
address = "127.0.0.1:${sink.port}"
identity = "proxy-v2"
[tls]
profile = "ancient"
[limits]
shutdown-timeout = "300ms"
${more}
[log]
level = "debug"
`,
    1,
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
  const { pid } = await program.next('session_opened');
  const tls = await client.secureLikeOld(OLD);
  await client.reply();
  await client.command('EHLO old.example');
  return { client, tls, sessionId: tls.server!.sessionId, pid: pid as number };
}

test('connections are spread, and a session begun in one process is resumed in another', async (t) => {
  const program = await start(t);
  const first = await open(program);
  const second = await SmtpClient.connect(program.ports.get('mx')!);
  const { pid } = await program.next('session_opened');
  t.not(pid, first.pid, 'the second connection is served by another process');
  t.not(pid, program.pid);
  const { client, resumed } = await second.secureAgain({ ...OLD, sessionId: first.sessionId }, first.tls);
  t.ok(resumed);
  t.same(client.server!.sessionId, first.sessionId);
  await second.reply();
  await second.command('QUIT');
  t.match(await program.nextSession(), { outcome: 'completed', tls: { resumed: true } });
  await first.client.command('QUIT');
});

test('the metrics have every process, and forget the connections of one that dies', async (t) => {
  const program = await start(t, '[admin]\naddress = "127.0.0.1:0"');
  const { port } = await program.next('admin_listening');
  const metric = async (name: string): Promise<string | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
    return new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'm').exec(await answer.text())?.[1];
  };
  const first = await open(program);
  const second = await open(program);
  t.equal(await metric('oldhello_processes'), '3', 'this one and two workers');
  t.equal(await metric('oldhello_sessions_live'), '2');
  process.kill(first.pid, 'SIGKILL');
  await program.next('worker_lost');
  t.equal(await metric('oldhello_sessions_live'), '1');
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
  t.match(await program.nextSession(), { outcome: 'worker_lost', fault: 'proxy' });
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
  const program = await start(t, 'max-connections-per-address = 3');
  const clients = [await open(program), await open(program), await open(program)];
  const refused = await SmtpClient.connect(program.ports.get('mx')!);
  await refused.closed();
  t.match(await program.nextSession(), { outcome: 'limit_exceeded', reason: 'max-connections-per-address' });
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
