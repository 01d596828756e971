/** `oldhello report` on the log that oldhello itself wrote of real traffic. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { test } from 'tap';
import type { Report } from '../../src/report/tally.js';
import { startMailPath } from '../support/mail-path.js';
import { CLI } from '../support/program.js';
import { TestClient } from '../support/test-client.js';
import { OLDEST, connectionLine } from '../support/log-lines.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'oldhello-report-'));

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], input = ''): Ran {
  return spawnSync(process.execPath, [CLI, 'report', ...args], { input, encoding: 'utf8' });
}

test('what oldhello logs, its report counts', async (t) => {
  const path = await startMailPath({ tls: { profile: 'legacy' } });
  t.teardown(() => path.stop());
  const transport = createTransport({
    host: '127.0.0.1',
    port: path.port('starttls'),
    requireTLS: true,
    name: 'old.example',
    tls: { maxVersion: 'TLSv1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0', rejectUnauthorized: false },
  });
  await transport.sendMail({ from: 's@old.example', to: 'r@new.example', text: 'text' });
  transport.close();
  await path.program.nextConnection();
  const sslv3 = connect(path.port('implicit'), '127.0.0.1');
  sslv3.write(new TestClient(OLDEST).hello());
  await once(sslv3.resume(), 'close');
  await path.program.nextConnection();

  const log = path.program.log.map((line) => JSON.stringify(line)).join('\n');
  const { status, stdout } = run(['--json'], log);
  t.equal(status, 0);
  const found = JSON.parse(stdout) as Report;
  t.match(found, { connections: 2, withTls: 1, old: 2, lines: { broken: 0 } });
  t.match(found.switchOffs, {
    tls1_0: { senders: 1, connections: 1 },
    sslv2_hello: { senders: 0, connections: 0 },
  });
  t.match(found.failures, [{ outcome: 'handshake_refused', reason: 'no_shared_version', connections: 1 }]);
  const helos = found.senders.map(({ helo, version }) => [version, helo]);
  t.match(
    helos.find(([version]) => version === 'TLSv1'),
    ['TLSv1', 'old.example'],
  );
  t.match(run([], log).stdout, /TLS 1\.0 and older +1 sender, 1 connection in 1 day\n/);
});

test('files, days, CSV and a page', async (t) => {
  const file = join(FOLDER, 'log');
  const page = join(FOLDER, 'report.html');
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  writeFileSync(file, [ago(1), ago(40)].map((time) => connectionLine({ time, hello: OLDEST })).join('\n'));
  t.match(run([file]).stdout, /41 days|40 days/);
  t.match(run([file, '--days', '30']).stdout, /1 connection,/);
  t.match(run([file, '--since', ago(2).slice(0, 10)]).stdout, /1 connection,/);
  t.match(run([file, '--until', ago(2)]).stdout, /1 connection,/);
  t.match(run([file, file, '--csv']).stdout, /^address,.*\r\n192\.0\.2\.1,/);
  t.match(run([file, '--html', page]), { status: 0, stdout: `written to ${page}\n` });
  t.match(readFileSync(page, 'utf8'), /<!doctype html>/);
  t.match(run([file, '--html', page]), { status: 0 }, 'it is written again');
  const before = readFileSync(file);
  t.match(run(['--html', file]), {
    status: 2,
    stderr: /--html takes the file to write, and .* is not an HTML page/,
  });
  t.same(readFileSync(file), before, 'a log is not overwritten');
});

test('wrong usage is exit code 2, a missing file 1, each with a line about it', async (t) => {
  t.match(run(['--days', 'many']), { status: 2, stderr: /--days takes a whole number/ });
  t.match(run(['--since', '24.11.2026']), { status: 2, stderr: /--since takes a day or a time/ });
  t.match(run(['--since', '2026-13-01']), { status: 2, stderr: /--since takes a day or a time/ });
  t.match(run(['--json', '--csv']), { status: 2, stderr: /exclude each other/ });
  t.match(run(['--days', '1', '--since', '2026-11-01']), { status: 2, stderr: /exclude each other/ });
  t.match(run(['/nowhere/log']), { status: 1, stderr: 'oldhello: /nowhere/log: no such file\n' });
  t.match(run([FOLDER]), { status: 1, stderr: /: is a folder; name the files in it\n$/ });
});

test("the terminal's form of the log is answered with how to get JSON", async (t) => {
  const { status, stdout } = run(
    [],
    '[20:10:01] INFO: listening\n[20:10:07] INFO: a client connection ended\n',
  );
  t.equal(status, 1);
  t.match(stdout.replace(/\s+/g, ' '), /2 lines are not JSON\..*set format = "json" in \[log\]/);
});

test('a reader that has seen enough is no error', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, index) =>
    connectionLine({ hello: OLDEST, address: `2001:db8::${index.toString(16)}` }),
  );
  const file = join(FOLDER, 'many');
  writeFileSync(file, lines.join('\n'));
  const child = spawn(process.execPath, [CLI, 'report', file, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = (await once(child, 'close')) as [number | null];
  t.equal(code, 0);
  t.equal(stderr, '');
});
