/** What the process may do, what it has too little of, and what becomes of defects. */
import { readFileSync } from 'node:fs';
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
}

async function configuration(
  t: Test,
  { address = '127.0.0.1:0', server = {}, limits = {} }: Setup,
): Promise<string> {
  const sink = await startTestSink();
  t.teardown(() => sink.close());
  return proxyConfig({
    server: { 'state-directory': 'STATE/state', ...server },
    listeners: [{ address }],
    backend: { address: sink.port },
    limits,
    log: { level: 'debug', 'repeat-limit': 0 },
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
  const { pid } = await program.next('connection_opened');
  process.kill(pid as number, 'SIGUSR2');
  t.match(await program.next('internal_error'), { error: /^Error: a defect\n +at / });
  t.match(await program.next('worker_lost'), { pid, how: 'code 1', connections: 1 });
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
