/**
 * A client that falls silent is let go at every point of every path, by its timeout and by a shutdown, and leaves nothing
 * behind: no place, no descriptor, no process. OLDHELLO_CASES chooses cases by their names.
 */
import { test, type Test } from 'tap';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import { STALL_CASES, type Expected, type StallCase } from '../support/stalls/cases.js';
import { endOf, startRig, type Rig, type RigOptions, type Stalled } from '../support/stalls/rig.js';

const COUNT = STALL_CASES.length;

/** Milliseconds of every timeout, where timeouts end it. */
const TIMEOUT = 3_000;
/** Just enough for all cases at once, so that one who keeps a place takes it from the next. */
const PLACES = `
max-connections = ${COUNT}
max-connections-per-address = ${COUNT}
max-handshakes = ${COUNT + (COUNT % 2)}
`;
const SHORT_TIMEOUTS = ['handshake', 'greeting', 'command', 'idle'].map(
  (of) => `${of}-timeout = "${TIMEOUT}ms"`,
);
/** Milliseconds from SIGTERM until clients are told to go. */
const SHUTDOWN = 500;
const SHORT_SHUTDOWN = `shutdown-timeout = "${SHUTDOWN}ms"`;

async function start(t: Test, options: RigOptions): Promise<Rig> {
  const rig = await startRig(options);
  t.teardown(() => rig.close());
  return rig;
}

function stallAll(rig: Rig): Promise<Stalled[]> {
  return Promise.all(STALL_CASES.map((one) => rig.stall(one)));
}

/** Each is closed, and logged once, as it should be. */
async function assertEnds(
  t: Test,
  rig: Rig,
  stalled: readonly Stalled[],
  within: number,
  expected: (one: StallCase) => Expected,
): Promise<void> {
  const ends = await Promise.all(stalled.map((one) => endOf(rig, one, within)));
  for (const [index, one] of STALL_CASES.entries()) {
    t.match(ends[index], { failure: undefined, closed: true, events: [expected(one)] }, one.name);
    t.equal(ends[index]!.events.length, 1, `${one.name}: one line in the log`);
  }
}

/** @returns the exit code, or undefined where it still runs when it should not */
function exitOf({ program }: Rig, within: number): Promise<number | null | undefined> {
  const tooLate = new Promise<undefined>((resolve) => setTimeout(resolve, within, undefined).unref());
  return Promise.race([program.exited, tooLate]);
}

/** Milliseconds beyond shutdown-timeout: a connection gets ten seconds to close, and this machine may be slow. */
const EXIT_PATIENCE = 20_000;

for (const workers of [1, 2]) {
  const where = workers === 1 ? 'in one process' : `in ${workers} workers`;

  test(`each timeout ends what it is for, and frees the place, ${where}`, async (t) => {
    const rig = await start(t, { workers, limits: [...SHORT_TIMEOUTS, PLACES].join('\n') });
    const processes = rig.processes();
    const before = processes.map((pid) => openSockets(pid));
    for (const round of ['first', 'second']) {
      await t.test(round, async (t) => {
        await assertEnds(t, rig, await stallAll(rig), TIMEOUT, ({ timeout }) => timeout);
      });
    }
    for (const [index, pid] of processes.entries()) {
      await t.resolves(untilNoOtherSocket(pid, before[index]!), `no socket is left in process ${index}`);
    }
    t.same(rig.processes(), processes, 'and all processes are still there');
    rig.program.signal('SIGTERM');
    t.equal(await exitOf(rig, EXIT_PATIENCE), 0);
  });

  for (const before of ['', ' after a reload that closed its listener']) {
    test(`SIGTERM${before} ends every client when its time is up, ${where}`, async (t) => {
      const rig = await start(t, { workers, limits: SHORT_SHUTDOWN });
      const stalled = await stallAll(rig);
      if (before !== '') await rig.reload({ listeners: false });
      rig.program.signal('SIGTERM');
      await assertEnds(t, rig, stalled, SHUTDOWN, () => ({ outcome: 'shutdown' }));
      t.equal(await exitOf(rig, SHUTDOWN + EXIT_PATIENCE), 0);
    });
  }
}

test('a worker that a reload makes superfluous ends when its clients timed out', async (t) => {
  const rig = await start(t, { workers: 3, limits: SHORT_TIMEOUTS.join('\n') });
  const processes = rig.processes();
  const stalled = await stallAll(rig);
  await rig.reload({ workers: 2 });
  await assertEnds(t, rig, stalled, TIMEOUT, ({ timeout }) => timeout);
  t.same(rig.processes().length, processes.length - 1);
  rig.program.signal('SIGTERM');
  t.equal(await exitOf(rig, EXIT_PATIENCE), 0);
  t.same(
    rig.program.log.filter(({ event }) => event === 'worker_lost'),
    [],
  );
});
