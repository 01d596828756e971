/** What oldhello says to systemd, what it takes from it, and what systemd itself says of the units. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'tap';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';

const UNITS = fileURLToPath(new URL('../../systemd/', import.meta.url));
const RECEIVER = fileURLToPath(new URL('../support/peers/notify_receiver.py', import.meta.url));
const missing = (command: string): string | undefined =>
  spawnSync(command, ['--version']).status === 0 ? undefined : `needs ${command}`;

const config = (sinkPort: number, port = 0): string =>
  proxyConfig({
    listeners: [{ address: `127.0.0.1:${port}` }],
    backend: { address: sinkPort },
  });

test('systemd is notified of start, reload, watchdog and stop, in order', async (t) => {
  if (!hasPeer(t, 'systemd-notify', missing('systemd-notify') ?? missing('python3'))) return;
  const socket = join(mkdtempSync(join(tmpdir(), 'oldhello-notify-')), 'notify');
  const receiver = spawn('python3', [RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
  let watchdog = 0;
  const next = async (): Promise<string[]> => {
    for (;;) {
      const { value } = (await lines.next()) as { value: string };
      const words = JSON.parse(value) as string[];
      if (words[0] === 'WATCHDOG=1') watchdog += 1;
      else if (words[0] !== 'BARRIER=1') return words;
    }
  };
  await next();
  const sink = await startTestSink();
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000' };
  const program = await startProgram(config(sink.port), 1, { env });
  t.same(await next(), ['READY=1', 'STATUS=serving on 1 addresses']);
  const before = process.hrtime.bigint() / 1000n;
  program.signal('SIGHUP');
  const reloading = await next();
  t.equal(reloading[0], 'RELOADING=1');
  const usec = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(reloading[1]!)![1]!);
  t.ok(usec > before && usec < process.hrtime.bigint() / 1000n, 'the time on the clock that systemd reads');
  t.equal((await next())[0], 'READY=1');
  program.configure('nonsense');
  program.signal('SIGHUP');
  t.equal((await next())[0], 'RELOADING=1');
  t.equal((await next())[0], 'READY=1', 'also when the reload failed');
  while (watchdog < 2) {
    const words = JSON.parse(((await lines.next()) as { value: string }).value) as string[];
    if (words[0] === 'WATCHDOG=1') watchdog += 1;
  }
  program.signal('SIGTERM');
  t.same(await next(), ['STOPPING=1', 'STATUS=waiting for 0 connections to end']);
  t.equal(await program.exited, 0);
  sink.close();
  receiver.kill();
});

/** A port that was free a moment ago, for programs that cannot be asked which one they took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Connects once systemd-socket-activate, which says nothing, has bound the port. */
async function connectWhenBound(port: number): Promise<SmtpClient> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const client = await SmtpClient.connect(port).catch(() => undefined);
    if (client !== undefined) return client;
    await pause(20);
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** Runs the command three times, as a service is that is restarted; the shell in between keeps the socket. */
const THRICE = 'for turn in 1 2 3; do (export LISTEN_PID=$BASHPID; exec "$@"); done';

test('restarts behind a socket of systemd turn no client away', async (t) => {
  if (!hasPeer(t, 'systemd-socket-activate', missing('systemd-socket-activate'))) return;
  const sink = await startTestSink();
  const port = await freePort();
  const activate = ['systemd-socket-activate', `--listen=127.0.0.1:${port}`] as const;
  const starting = startProgram(config(sink.port, port), 1, {
    runner: [...activate, 'bash', '-c', THRICE, 'bash'],
  });
  // The first client is what starts the service.
  const first = await connectWhenBound(port);
  const program = await starting;
  t.equal(program.ports.get('mx'), port, 'the socket with that address is the one of the listener');
  t.match(await first.reply(), /^220 /);
  t.match(await first.command('QUIT'), /^221 /);

  let going = true;
  let served = 0;
  const client = async (): Promise<void> => {
    while (going) {
      const smtp = await SmtpClient.connect(port);
      t.match(await smtp.reply(), /^220 /);
      t.match(await smtp.command('QUIT'), /^221 /);
      smtp.destroy();
      served += 1;
    }
  };
  const clients = [1, 2, 3, 4].map(client);
  for (let turn = 1; turn <= 3; turn += 1) {
    const { pid } = await program.next('started');
    const enough = served + 20;
    while (served < enough) await program.next('connection_closed');
    if (turn === 3) {
      going = false;
      await Promise.all(clients);
    }
    process.kill(pid as number, 'SIGTERM');
    await program.next('stopped');
  }
  t.equal(await program.exited, 0);
  t.ok(served >= 60);
  sink.close();
});

test('a socket of systemd that no listener has the address of is refused, with what to do', async (t) => {
  if (!hasPeer(t, 'systemd-socket-activate', missing('systemd-socket-activate'))) return;
  const [passed, configured] = [await freePort(), await freePort()];
  const activate = ['systemd-socket-activate', `--listen=127.0.0.1:${passed}`] as const;
  const starting = startProgram(config(25, configured), 1, { runner: activate });
  const message = new RegExp(
    `socket for 127\\.0\\.0\\.1:${passed}, .* only 127\\.0\\.0\\.1:${configured}; disable .*ListenStream=`,
  );
  const refused = t.rejects(starting, { message });
  await connectWhenBound(passed);
  await refused;
});

test('systemd finds nothing wrong with the units, and little exposed', async (t) => {
  if (!hasPeer(t, 'systemd-analyze', missing('systemd-analyze'))) return;
  const run = promisify(execFile);
  const service = join(UNITS, 'oldhello.service');
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-units-'));
  const socket = join(folder, 'oldhello-port@25.socket');
  copyFileSync(service, join(folder, 'oldhello.service'));
  copyFileSync(join(UNITS, 'oldhello-port@.socket'), socket);
  const verified = await run('systemd-analyze', [
    'verify',
    '--man=no',
    join(folder, 'oldhello.service'),
    socket,
  ]);
  const complaints = (verified.stdout + verified.stderr).split('\n').filter((line) => !NOT_YET.test(line));
  t.strictSame(complaints, ['']);
  const { stdout } = await run('systemd-analyze', ['security', '--offline=true', service]);
  t.ok(Number(/exposure level .*: (\d+\.\d+)/.exec(stdout)![1]) <= 1.6);
});

/** Of systemd before 253; test/machine boots one that knows it. */
const NOT_YET = /Failed to parse service type, ignoring: notify-reload/;
