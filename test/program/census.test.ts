/** `oldhello census` on captures of real clients, taken from the loopback interface while they visit the built program. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { test } from 'tap';
import type { Report } from '../../src/report/tally.js';
import { conversation, ipv4, pcap } from '../support/captures.js';
import { startMailPath, type MailPath } from '../support/mail-path.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { OLDEST } from '../support/log-lines.js';
import { TestClient } from '../support/test-client.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'oldhello-census-'));
const DUMPCAP = '/usr/bin/dumpcap';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], input: string | Buffer = ''): Ran {
  return spawnSync(process.execPath, [CLI, 'census', ...args], { input, encoding: 'utf8' });
}

/** Why nothing can be captured here. */
function noCapture(): string | undefined {
  if (!existsSync(DUMPCAP)) return 'needs dumpcap (Debian package wireshark-common)';
  const { status, stderr } = spawnSync(DUMPCAP, ['-i', 'lo', '-a', 'duration:1', '-w', join(FOLDER, 'try')], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return status === 0 ? undefined : `dumpcap may not capture here: ${stderr.split('\n').at(-2)}`;
}

/** @returns ends the capture once it holds `marker` */
async function startCapture(file: string, format: 'pcap' | 'pcapng', ports: readonly number[]) {
  const filter = ports.map((port) => `tcp port ${port}`).join(' or ');
  const child = spawn(DUMPCAP, ['-i', 'lo', ...(format === 'pcap' ? ['-P'] : []), '-w', file, '-f', filter], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface({ input: child.stderr })) if (line.startsWith('File:')) break;
  child.stderr.resume();
  return async (marker: string): Promise<void> => {
    for (let tries = 0; tries < 100 && !readFileSync(file).includes(marker); tries++) await delay(100);
    child.kill('SIGINT');
    await once(child, 'close');
  };
}

/** Sends a message by nodemailer. */
async function send(
  path: MailPath,
  mode: 'starttls' | 'implicit',
  version: 'TLSv1' | 'TLSv1.3',
  name: string,
): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: path.port(mode),
    secure: mode === 'implicit',
    requireTLS: true,
    name,
    tls: { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0', rejectUnauthorized: false },
  });
  await transport.sendMail({ from: 's@old.example', to: 'r@new.example', text: 'text '.repeat(10_000) });
  transport.close();
  await path.program.nextConnection();
}

async function sendInClear(path: MailPath, helo: string): Promise<void> {
  const socket = connect(path.port('starttls'), '127.0.0.1');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  for (const command of ['', `HELO ${helo}`, 'QUIT']) {
    if (command !== '') socket.write(`${command}\r\n`);
    await lines.next();
  }
  socket.destroy();
  await path.program.nextConnection();
}

for (const format of ['pcap', 'pcapng'] as const) {
  test(`real clients are counted from a ${format} capture as oldhello itself counts them`, async (t) => {
    if (!hasPeer(t, 'dumpcap', noCapture())) return;
    const path = await startMailPath({ tls: { profile: 'legacy' } });
    t.teardown(() => path.stop());
    const file = join(FOLDER, `mail.${format}`);
    const stop = await startCapture(file, format, [path.port('starttls'), path.port('implicit')]);
    await send(path, 'starttls', 'TLSv1', 'old.example');
    await send(path, 'implicit', 'TLSv1', 'unseen.example');
    await send(path, 'starttls', 'TLSv1.3', 'new.example');
    const sslv3 = connect(path.port('implicit'), '127.0.0.1');
    sslv3.write(new TestClient(OLDEST).hello());
    await once(sslv3.resume(), 'close');
    await path.program.nextConnection();
    await sendInClear(path, 'clear.example');
    await stop('HELO clear.example');

    const { status, stdout, stderr } = run([file, '--json']);
    t.equal(stderr, '');
    t.equal(status, 0);
    const found = JSON.parse(stdout) as Report;
    t.match(found, { connections: 5, withTls: 3, old: 3, plaintext: 1, notes: [] });
    const logged = path.program.log.filter(({ event }) => event === 'connection_closed');
    const fingerprints = logged
      .map(({ hello }) => hello as { fingerprint: { short: string }; needs: string[] } | undefined)
      .filter((hello) => hello !== undefined && hello.needs.length > 0)
      .map((hello) => hello!.fingerprint.short);
    t.same(new Set(found.senders.map(({ fingerprint }) => fingerprint)), new Set(fingerprints));
    t.match(
      found.senders.find(({ helo }) => helo === 'old.example'),
      { address: '127.0.0.1', version: 'TLSv1', tls: { version: 'TLSv1' }, failed: 0 },
    );
    t.match(found.failures, [{ outcome: 'alert_from_server', connections: 1 }]);
    t.match(
      run(['-', '--port', String(path.port('starttls')), '--json'], readFileSync(file)).stdout,
      /"connections": 3,/,
    );
    t.match(run([file]).stdout, /TLS 1\.0 and older +1 sender, 2 connections in 1 day/);
  });
}

test('Ctrl-C ends the capture in front of the pipe; census reads what is left and reports', async (t) => {
  const child = spawn(process.execPath, [CLI, 'census', '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const capture = pcap(ipv4(conversation([['client', new TestClient(OLDEST).hello()]])));
  // Node has its signal handler by the time it has drained more than a pipe holds.
  const packets = Buffer.concat([capture, ...Array.from({ length: 3000 }, () => capture.subarray(24))]);
  child.stdin.write(packets.subarray(0, -100), () => {
    child.kill('SIGINT');
    child.stdin.end(packets.subarray(-100));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  t.equal(code, 0);
  t.match(stdout, /1 day: [\d,]+ connections?, /);
});

test('wrong usage is exit code 2, an input that is no capture 1, each with a line about it', async (t) => {
  t.match(run([]), {
    status: 2,
    stderr: /^oldhello: census needs a capture: a file, or - for standard input\n$/,
  });
  t.match(run(['x', '--port', 'smtp']), { status: 2, stderr: /--port takes port numbers/ });
  t.match(run(['/nowhere.pcap']), { status: 1, stderr: 'oldhello: /nowhere.pcap: no such file\n' });
  t.match(run(['-'], 'EHLO\r\n'), {
    status: 1,
    stderr: 'oldhello: -: it is not a capture in pcap or pcapng format\n',
  });
});
