/** What the log looks like to whoever takes standard output: a pipe, the journal, people, or nobody. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type Test } from 'tap';
import { CLI, startProgram } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

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

test('lines for people are sentences, without JSON, and without colour where there is no terminal', async (t) => {
  const lines = await logOf(t, { format: 'pretty' }, false);
  const listening = lines.find((line) => line.includes('listening'));
  t.match(listening, /^\d\d:\d\d:\d\d INFO  listening on 127\.0\.0\.1:\d+, starttls, listener mx, backend /);
  t.ok(lines.every((line) => line.length < 200 && !line.includes('{"')));
  t.match(lines.at(-1), / INFO  stopped$/);
});

test('at the level debug the JSON follows each sentence', async (t) => {
  const lines = await logOf(t, { format: 'pretty', level: 'debug' }, false);
  t.ok(lines.every((line) => /^\d\d:\d\d:\d\d (?:DEBUG|INFO |WARN ) .* \{"event":".*\}$/.test(line)));
});

test('a reader that stops reading does not stop the mail', async (t) => {
  const program = await startProgram(proxyConfig({ log: { level: 'trace' } }), 1);
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

/** Runs oldhello with a defect at the push of SIGUSR2; its log goes to a pipe that is full once it has started. */
async function startWithFullPipe(t: Test): Promise<ChildProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-log-'));
  const [config, fifo] = [join(folder, 'oldhello.toml'), join(folder, 'fifo')];
  writeFileSync(config, proxyConfig({}).replaceAll('STATE', folder));
  execFileSync('mkfifo', [fifo]);
  const pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const stdout = openSync(fifo, constants.O_WRONLY);
  const defect = "process.on('SIGUSR2', () => { throw new Error('a defect') })";
  const program = ['--import', `data:text/javascript,${defect}`, CLI, 'serve', '--config', config];
  // What tap loads into each child makes standard output a pipe that never blocks.
  const args = ['--unset=NODE_OPTIONS', process.execPath, ...program];
  const child = spawn('env', args, { stdio: ['ignore', stdout, 'ignore'] });
  t.teardown(() => {
    child.kill('SIGKILL');
    for (const fd of [pipe, stdout]) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });
  const chunk = Buffer.alloc(65_536);
  for (let log = ''; !log.includes('"event":"started"');) {
    const read = unlessBlocked(() => readSync(pipe, chunk));
    log += chunk.toString('latin1', 0, read);
    if (read === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const length of [4096, 1]) while (unlessBlocked(() => writeSync(pipe, chunk, 0, length)) > 0);
  return child;
}

function unlessBlocked(transfer: () => number): number {
  try {
    return transfer();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return 0;
  }
}

test('a reader that hangs does not keep a stopped process alive, nor one with a defect', async (t) => {
  for (const [signal, end] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGUSR2', 'SIGKILL'],
  ] as const) {
    const child = await startWithFullPipe(t);
    const exited = once(child, 'exit');
    child.kill(signal);
    t.same(await exited, [null, end], `after ${signal}`);
  }
});

async function greetingOf(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  for await (const line of createInterface({ input: socket })) return line;
  return '';
}

test('a log file that was moved is opened again at SIGHUP, and no line is lost', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'oldhello.log');
  const config = join(folder, 'oldhello.toml');
  writeFileSync(config, proxyConfig({ log: { file: log } }).replaceAll('STATE', folder));
  const child = spawn(process.execPath, [CLI, 'serve', '--config', config], { stdio: 'ignore' });
  const logged = async (file: string, event: string): Promise<void> => {
    while (!existsSync(file) || !readFileSync(file, 'utf8').includes(`"event":"${event}"`)) {
      if (child.exitCode !== null) throw new Error('ended');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await logged(log, 'started');
  t.equal(statSync(log).mode & 0o007, 0, 'not for everybody');
  renameSync(log, `${log}.1`);
  child.kill('SIGHUP');
  await logged(log, 'reloaded');
  t.equal(await stop(child), 0);
  t.match(readFileSync(log, 'utf8'), /"event":"stopped"/);
  t.notMatch(readFileSync(`${log}.1`, 'utf8'), /"event":"(?:reloaded|stopped)"/);
});

test('a log file that cannot be opened stops the start, with its line', async (t) => {
  const config = proxyConfig({ log: { file: 'STATE/missing/oldhello.log' } });
  await t.rejects(startProgram(config, 1), { message: /oldhello\.toml:\d+: log\.file: ENOENT/ });
});

test('a command whose reader goes away ends without a stack trace', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-pipe-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'oldhello.toml');
  writeFileSync(config, proxyConfig({}).replaceAll('STATE', folder));
  for (const args of [['check', '--config', config], ['--help']]) {
    const command = `"$0" "$@" | sleep 0`;
    const child = spawn('sh', ['-c', command, process.execPath, CLI, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    await once(child, 'close');
    t.equal(errors, '', args.join(' '));
  }
});
