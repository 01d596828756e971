/** What the process may do, what it has too little of, and what becomes of defects. */
import { readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { spawnSync } from 'node:child_process';
import { test, type Test } from 'tap';
import { hasPeer } from '../support/peers/require-peer.js';
import { CLI, refusedStart, startProgram, type ProgramOptions, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';

interface Setup extends ProgramOptions {
  readonly address?: string;
  readonly server?: Table;
  readonly limits?: Table;
  readonly admin?: Table;
}

async function configuration(
  t: Test,
  { address = '127.0.0.1:0', server = {}, limits = {}, admin }: Setup,
): Promise<string> {
  const sink = await startTestSink();
  t.teardown(() => sink.close());
  return proxyConfig({
    server: { 'state-directory': 'STATE/state', ...server },
    listeners: [{ address }],
    backend: { address: sink.port },
    limits,
    ...(admin && { admin }),
    log: { level: 'debug' },
  });
}

const start = async (t: Test, setup: Setup): Promise<Program> =>
  startProgram(await configuration(t, setup), 1, setup);

const refusal = async (t: Test, setup: Setup): Promise<string> =>
  refusedStart(await configuration(t, setup), setup);

const root = process.getuid?.() === 0 ? undefined : 'needs root';
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;
const setpriv =
  spawnSync('setpriv', ['--version']).status === 0 ? (root ?? unreadable()) : 'needs setpriv and root';

const setcap =
  spawnSync('setcap', ['-h']).error === undefined ? setpriv : 'needs setcap (libcap2-bin) and root';

/** Gives the folder of the configuration, whose path comes last, to another user, and runs the program as that. */
function asNobody(...options: string[]): readonly [string, ...string[]] {
  const script = `unset NODE_OPTIONS; for file; do :; done; chmod -R a+rwX "\${file%/*}"; exec "$0" "$@"`;
  const [setpriv, ...user] = AS_NOBODY;
  return ['sh', '-c', script, setpriv, ...user, ...options];
}

/** A checkout below a home folder of mode 0700 is none that another user could start the program from. */
function unreadable(): string | undefined {
  const [command, ...args] = [...AS_NOBODY, 'test', '-r', CLI] as const;
  return spawnSync(command, args).status === 0 ? undefined : 'needs a checkout that every user may read';
}

/** No other program listens on this loopback address. */
const LOW_PORT = '127.83.25.25:25';

test('setpriv gives an ordinary user CAP_NET_BIND_SERVICE and so a low port, and the log has the capability', async (t) => {
  if (!hasPeer(t, 'setpriv', setpriv)) return;
  const runner = asNobody('--inh-caps=+net_bind_service', '--ambient-caps=+net_bind_service');
  const program = await start(t, { address: LOW_PORT, runner });
  t.match(await program.next('privileges'), { capabilities: ['CAP_NET_BIND_SERVICE'] });
  t.equal(await program.stop(), 0);
});

test('an ordinary user without that capability gets an error with the ways to a low port', async (t) => {
  const port = Number(LOW_PORT.split(':')[1]);
  const free = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  const lack = free <= port ? `needs net.ipv4.ip_unprivileged_port_start above ${port}` : setpriv;
  if (!hasPeer(t, 'setpriv', lack)) return;
  t.match(
    await refusal(t, { address: LOW_PORT, runner: asNobody() }),
    /oldhello\.toml:6: listener\[0\]\.address: cannot listen on 127\.83\.25\.25:25: ports below 1024 need the capability CAP_NET_BIND_SERVICE \(.*\), a socket from systemd \(oldhello-port@\.socket\)/,
  );
});

test('a copy of node that has CAP_NET_BIND_SERVICE gives an ordinary user a low port', async (t) => {
  if (!hasPeer(t, 'setcap', setcap)) return;
  const runner = [
    'sh',
    '-c',
    'unset NODE_OPTIONS; for file; do :; done; folder="${file%/*}"; cp "$1" "$folder/node"; shift; chmod -R a+rwX "$folder"; ' +
      'setcap cap_net_bind_service=+ep "$folder/node" && ' +
      'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$folder/node" "$@"',
    'sh',
  ] as const;
  const program = await start(t, { address: LOW_PORT, runner });
  t.match(await program.next('privileges'), { capabilities: ['CAP_NET_BIND_SERVICE'] });
  t.equal(await program.stop(), 0);
});

test('running as root is warned of', async (t) => {
  if (!hasPeer(t, 'root', root)) return;
  const program = await start(t, {});
  t.match(await program.next('running_as_root'), { level: 'warn' });
  t.equal(await program.stop(), 0);
});

test('with too few descriptors, clients are turned away in words, and let in again when others go', async (t) => {
  const runner = ['bash', '-c', 'ulimit -n 128; exec "$@"', 'bash'] as const;
  const limits = { 'max-connections-per-address': 1000, 'shutdown-timeout': '10ms' };
  const program = await start(t, { runner, limits });
  const { connections } = await program.next('descriptors_short');
  t.match(
    program.log.find(({ event }) => event === 'descriptors_short'),
    { level: 'warn', limit: 128 },
  );
  const port = program.ports.get('mx')!;
  const clients: SmtpClient[] = [];
  for (let index = 0; index < (connections as number); index += 1) {
    const client = await SmtpClient.connect(port);
    t.match(await client.reply(), /^220 /);
    clients.push(client);
  }
  for (let index = 0; index < 20; index += 1) {
    const refused = await SmtpClient.connect(port);
    t.match(await refused.reply(), /^421 4\.3\.1 /);
    refused.destroy();
    t.match(await program.nextConnection(), { outcome: 'limit_exceeded', reason: 'open-files' });
  }
  for (const client of clients.splice(0)) {
    await client.command('QUIT');
    client.destroy();
    await program.nextConnection();
  }
  const again = await SmtpClient.connect(port);
  t.match(await again.reply(), /^220 /);
  again.destroy();
  t.equal(await program.stop(), 0);
});

/** Sets the soft limit of a process that runs. */
function limitOpenFiles(pid: number, limit: number): void {
  const args = ['--pid', String(pid), `--nofile=${limit}:`];
  const { status, stderr } = spawnSync('prlimit', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** Leaves a process those that it has. The limit is on their numbers, and the kernel gives the lowest one. */
function leaveNoDescriptor(pid: number): void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let lowest = 0;
  while (open.has(lowest)) lowest += 1;
  limitOpenFiles(pid, lowest);
}

const prlimit = spawnSync('prlimit', ['--version']).error === undefined ? undefined : 'needs prlimit';

async function exhaustions(program: Program): Promise<string | undefined> {
  const { port } = program.log.find(({ event }) => event === 'admin_listening')!;
  const response = await fetch(`http://127.0.0.1:${port as number}/metrics`, {
    headers: { connection: 'close' },
  });
  return /^oldhello_descriptors_exhausted_total (.*)/m.exec(await response.text())?.[1];
}

const ADMIN = { address: '127.0.0.1:0' };

test('the log has a line when no descriptor is left and the system drops clients, with the limit and what to raise', async (t) => {
  if (!hasPeer(t, 'prlimit', prlimit)) return;
  const runner = ['bash', '-c', 'ulimit -n 128; exec "$@"', 'bash'] as const;
  const program = await start(t, { runner, admin: ADMIN });
  await program.next('started');
  t.equal(await exhaustions(program), '0');
  leaveNoDescriptor(program.pid);
  const dropped = await SmtpClient.connect(program.ports.get('mx')!);
  await t.rejects(dropped.reply());
  t.match(await program.next('descriptors_exhausted'), {
    level: 'error',
    pid: program.pid,
    error: 'EMFILE',
    msg: /has no file descriptor left.* its limit is 128 \(EMFILE\), raise LimitNOFILE= in the systemd unit/,
  });
  limitOpenFiles(program.pid, 128);
  t.equal(await exhaustions(program), '1');
  const served = await SmtpClient.connect(program.ports.get('mx')!);
  t.match(await served.reply(), /^220 /);
  await served.command('QUIT');
  t.equal(await program.stop(), 0);
});

test('workers that have no descriptor left are logged too, and so is each client that they could not take', async (t) => {
  if (!hasPeer(t, 'prlimit', prlimit)) return;
  const program = await start(t, { server: { workers: 2 }, admin: ADMIN });
  await program.next('started');
  const port = program.ports.get('mx')!;
  const before = [await SmtpClient.connect(port), await SmtpClient.connect(port)];
  const pids: number[] = [];
  for (const client of before) {
    await client.reply();
    pids.push((await program.next('connection_opened'))['pid'] as number);
  }
  for (const pid of pids) leaveNoDescriptor(pid);
  const dropped = await SmtpClient.connect(port);
  await t.rejects(dropped.reply());
  t.match(await program.nextConnection(), {
    outcome: 'limit_exceeded',
    reason: 'open-files',
    fault: 'proxy',
  });
  const exhausted = [
    await program.next('descriptors_exhausted'),
    await program.next('descriptors_exhausted'),
  ];
  t.same(exhausted.map(({ pid }) => pid).sort(), pids.sort());
  t.equal(await exhaustions(program), '2');
  for (const pid of pids) limitOpenFiles(pid, 1024);
  const served = await SmtpClient.connect(port);
  t.match(await served.reply(), /^220 /);
  for (const client of [served, ...before]) await client.command('QUIT');
  t.equal(await program.stop(), 0);
});

test('a backend that cannot be dialled for want of a descriptor is not blamed for it', async (t) => {
  if (!hasPeer(t, 'prlimit', prlimit)) return;
  const program = await start(t, {});
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  await client.reply();
  await client.command('EHLO client.example');
  t.match(await client.command('STARTTLS'), /^220 /);
  // Not even those that the first session of the backend leaves.
  limitOpenFiles(program.pid, 3);
  await client.secure();
  t.match(await client.command('EHLO client.example'), /^421 4\.3\.0 /);
  t.match(await program.nextConnection(), {
    outcome: 'backend_failed',
    reason: 'backend_no_descriptor',
    fault: 'proxy',
    explanation: /EMFILE.* What to do: raise LimitNOFILE=/,
  });
  limitOpenFiles(program.pid, 1024);
  t.equal(await program.stop(), 0);
});

/** A defect at the push of a signal, in every process. */
const DEFECT = `--import=data:text/javascript,${encodeURIComponent(
  "process.on('SIGUSR2', () => { throw new Error('a defect') })",
)}`;

test('a defect is logged with its stack, and ends the program with code 1', async (t) => {
  const program = await start(t, { env: { NODE_OPTIONS: DEFECT } });
  await program.next('started');
  program.signal('SIGUSR2');
  t.match(await program.next('internal_error'), { level: 'error', error: /^Error: a defect\n +at / });
  t.equal(await program.exited, 1);
});

test('a defect in one of several processes is logged too, and costs that process alone', async (t) => {
  const program = await start(t, { env: { NODE_OPTIONS: DEFECT }, server: { workers: 2 } });
  await program.next('started');
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  const { pid, connection } = await program.next('connection_opened');
  await client.reply();
  await client.command('EHLO client.example');
  await client.command('STARTTLS');
  await client.secureLikeOld({ format: 'sslv2', version: 0x0301 });
  process.kill(pid as number, 'SIGUSR2');
  t.match(await program.next('internal_error'), { error: /^Error: a defect\n +at / });
  t.match(await program.next('worker_lost'), { pid, how: 'code 1', connections: 1 });
  t.match(await program.nextConnection(), {
    connection,
    outcome: 'worker_lost',
    hello: { format: 'sslv2', version: 'TLSv1' },
    tls: { version: 'TLSv1' },
    smtp: { helo: 'client.example' },
  });
  await client.closed();
  const next = await SmtpClient.connect(program.ports.get('mx')!);
  t.match(await next.reply(), /^220 /);
  await next.command('QUIT');
  t.equal(await program.stop(), 0);
});

test('a port that is taken stops the start, with the line where it stands', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  t.match(await refusal(t, { address }), /oldhello\.toml:6: listener\[0\]\.address: .*another program/);
});
