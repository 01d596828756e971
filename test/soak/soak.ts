/**
 * Minutes of mail from old and new clients through the built oldhello while everything goes wrong that FAULTS has, round
 * after round. In between, with nobody connected, memory and descriptors are looked at. At the end the books are
 * compared: what was acknowledged has arrived, once, and every session that began is in the log. Prints figures; the
 * exit code is 1 where something did not hold.
 *
 * npm run soak [-- MINUTES [FAULT...]]
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startMailLoad, type MailLoad } from '../support/mail-load.js';
import { startProgram } from '../support/program.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';
import { Books } from './books.js';
import { soakConfig } from './config.js';
import { OPEN_FILES, TIMEOUT_SECONDS, type Soak } from './fault.js';
import { FAULTS } from './faults.js';
import { FlakyBackend } from './flaky-backend.js';
import { Inside } from './inside.js';
import { logDisk } from './log-disk.js';
import { checkSessions } from './sessions.js';
import { within } from './within.js';

/** Of the load, at any time: half of them old. */
const CLIENTS = 12;
/** Messages of the load before anything is looked at. */
const WARM_UP_MESSAGES = 500;
/** Milliseconds for backend sessions that were left behind at STARTTLS to end. */
const SETTLE_MS = 12_000;
/** Messages that show that mail flows. */
const PROOF_MESSAGES = 20;
/** Bytes between the first plateau and the last: sessions kept for resumption are up to 6 MB. */
const HEAP_GROWTH = 8e6;
/** What the allocator keeps differs more than what is used. */
const RESIDENT_GROWTH = 1.2;

const [, , minutes = 5, ...only] = process.argv;
const faults = FAULTS.filter(({ name }) => only.length === 0 || only.includes(name));
const began = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'oldhello-soak-'));
const socket = join(folder, 'inside');
const logFolder = join(folder, 'log');
mkdirSync(logFolder);
const failures: string[] = [];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (): number => Math.round((performance.now() - began) / 1000);
const expect = (holds: boolean, what: string): void => {
  say(`${holds ? 'holds' : 'FAILS'}  ${what}`);
  if (!holds) failures.push(what);
};

const sink = await startTestSink();
const backend = new FlakyBackend(sink.port);
const disk = logDisk(logFolder, OPEN_FILES);
const program = await startProgram(soakConfig(await backend.listen()), 2, {
  runner: disk.runner,
  env: {
    NODE_OPTIONS: `--import=${new URL('./preload.js', import.meta.url).href}`,
    OLDHELLO_SOAK_SOCKET: socket,
  },
});
process.once('exit', () => {
  program.signal('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
let stopping = false;
void program.exited.then((code) => {
  if (stopping) return;
  for (const line of program.log.filter(({ level }) => level === 'error')) say(JSON.stringify(line));
  say(`oldhello ended with ${code}, and nothing held.`);
  process.exit(1);
});
const inside = new Inside(socket);
const books = new Books();
let load: MailLoad | undefined;

const soak: Soak = {
  program,
  backend,
  books,
  disk: disk.seen(program.pid),
  connect: (mode = 'starttls') => SmtpClient.connect(program.ports.get(mode)!),
  setClock: (ahead) => inside.setClock(ahead),
  descriptors: () => readdirSync(`/proc/${program.pid}/fd`).length,
  mailFlows: async () => {
    const wanted = load!.acknowledged.size + PROOF_MESSAGES;
    await within(TIMEOUT_SECONDS, 'mail flows', load!.reach(wanted));
  },
};

interface Plateau {
  readonly descriptors: number;
  /** Bytes. */
  readonly heap: number;
  readonly resident: number;
}

/** What is left when everybody has gone. */
async function plateau(descriptors: number): Promise<Plateau> {
  const deadline = performance.now() + TIMEOUT_SECONDS * 1000;
  while (soak.descriptors() > descriptors && performance.now() < deadline) await pause(200);
  // Before the question for memory, which takes one itself.
  const left = soak.descriptors();
  const { heapUsed, external, rss } = await inside.memory();
  return { descriptors: left, heap: heapUsed + external, resident: rss };
}

async function runFaults(): Promise<void> {
  for (const fault of faults) {
    const start = performance.now();
    try {
      const figures = await fault.run(soak);
      await soak.mailFlows();
      say(`  ${fault.name}: ${figures}; ${Math.round((performance.now() - start) / 1000)} s`);
    } catch (error) {
      expect(false, `${fault.name}: ${fault.holds}: ${String(error)}`);
    }
  }
}

async function round(name: string, run: () => Promise<void>): Promise<void> {
  load = startMailLoad(() => program.ports.get('starttls')!, CLIENTS, `${name}.example`);
  books.include(load);
  await run();
  await within(TIMEOUT_SECONDS, 'the clients of the load finish', load.stop());
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const describe = ({ descriptors, heap, resident }: Plateau): string =>
  `${descriptors} descriptors, heap and buffers ${megabytes(heap)}, resident ${megabytes(resident)}`;

say(`Node ${process.version}, ${cpus().length} x ${cpus()[0]!.model}, ${minutes} min, ${CLIENTS} clients`);
for (const { name, does, holds } of faults) say(`  ${name}: ${does}. Must hold: ${holds}.`);

// What is opened once and kept, such as threads that decrypt, is open after this.
await round('warm-up', () => load!.reach(WARM_UP_MESSAGES));
await pause(SETTLE_MS);
const first = await plateau(soak.descriptors());
say(`warm: ${describe(first)}`);
const plateaus: Plateau[] = [];
do {
  const number = plateaus.length + 1;
  await round(`round-${number}`, runFaults);
  plateaus.push(await plateau(first.descriptors));
  say(
    `round ${number}, ${seconds()} s: ${books.acknowledged.length} messages, ${describe(plateaus.at(-1)!)}`,
  );
} while (seconds() < Number(minutes) * 60 || plateaus.length < 2);

const [early, late] = [plateaus[0]!, plateaus.at(-1)!];
const { lost, doubled, unasked } = books.compare(sink.delivered.map(({ from }) => from));
expect(
  lost.length === 0,
  `all of ${books.acknowledged.length} acknowledged messages arrived ${lost.join(' ')}`,
);
expect(doubled.length === 0, `none of them twice ${doubled.join(' ')}`);
expect(unasked.length === 0, `and nothing that was not sent to its end ${unasked.join(' ')}`);
expect(
  plateaus.every(({ descriptors }) => descriptors <= first.descriptors),
  `descriptors return to ${first.descriptors}: ${plateaus.map(({ descriptors }) => descriptors).join(', ')}`,
);
expect(
  late.heap - early.heap < HEAP_GROWTH,
  `heap and buffers stay: ${plateaus.map(({ heap }) => megabytes(heap)).join(', ')}`,
);
expect(
  late.resident < early.resident * RESIDENT_GROWTH,
  `so does resident memory: ${plateaus.map(({ resident }) => megabytes(resident)).join(', ')}`,
);
const last = await soak.connect();
expect((await within(TIMEOUT_SECONDS, 'a greeting', last.reply())).startsWith('220 '), 'it still serves');
await last.command('QUIT');
last.destroy();
stopping = true;
expect((await program.stop()) === 0, 'it stops in order');
for (const { holds, what } of checkSessions(program.log, seconds())) expect(holds, what);
backend.close();
sink.close();
say(failures.length === 0 ? `All held, after ${seconds()} s.` : `${failures.length} did not hold.`);
process.exit(failures.length === 0 ? 0 : 1);
