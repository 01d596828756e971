/** What the log looks like to whoever takes standard output: a pipe, the journal, people, or nobody. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, fstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { startProgram } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Runs oldhello until it listens, with its log in a file, as systemd would where that is the journal. */
async function logOf(t: Test, table: Table, isJournal: boolean): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'oldhello.toml');
  writeFileSync(file, proxyConfig({ log: table }).replaceAll('STATE', folder));
  const log = join(folder, 'log');
  const stdout = openSync(log, 'w');
  const { dev, ino } = fstatSync(stdout);
  const env = { ...process.env, ...(isJournal && { JOURNAL_STREAM: `${dev}:${ino}` }) };
  const child = spawn(process.execPath, [CLI, 'serve', '--config', file], {
    stdio: ['ignore', stdout, 'ignore'],
    env,
  });
  while (child.exitCode === null && !readFileSync(log, 'utf8').includes('listening'))
    await new Promise((resolve) => setTimeout(resolve, 20));
  await stop(child);
  return readFileSync(log, 'utf8').trimEnd().split('\n');
}

async function stop(child: ChildProcess): Promise<number | null> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await exited) as [number | null];
  return code;
}

test('in the journal each line begins with its priority, and elsewhere not', async (t) => {
  const journal = await logOf(t, {}, true);
  t.ok(journal.every((line) => /^<[346]>\{"level":/.test(line)));
  t.match(journal.at(-1), /^<6>.*"event":"stopped"/, 'to the last line');
  const file = await logOf(t, {}, false);
  t.ok(file.every((line) => line.startsWith('{"level":')));
});

test('lines for people have no JSON around them, and no colour where there is no terminal', async (t) => {
  const lines = await logOf(t, { format: 'pretty' }, false);
  const listening = lines.find((line) => line.includes('listening'));
  t.match(listening, /^\[\d\d:\d\d:\d\d\] INFO: listening \{"listener":"mx"/);
});

test('a reader that stops reading does not stop the mail', async (t) => {
  const program = await startProgram(proxyConfig({ log: { level: 'trace', 'repeat-limit': 0 } }), 1);
  program.pauseLog();
  // Far more than a pipe holds.
  for (let round = 0; round < 40; round++) {
    const replies = Array.from({ length: 20 }, () => greetingOf(program.ports.get('mx')!));
    for (const reply of await Promise.all(replies)) if (!reply.startsWith('421')) t.fail(reply);
  }
  t.pass('everybody was answered');
  program.resumeLog();
  t.equal(await program.stop(), 0);
});

async function greetingOf(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  for await (const line of createInterface({ input: socket })) return line;
  return '';
}
