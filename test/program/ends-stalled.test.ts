/**
 * A client that falls silent is let go at every point of every path, by its timeout and by a shutdown, and leaves nothing
 * behind: no place, no descriptor, no process. OLDHELLO_CASES chooses cases by their names.
 */
import t, { type Test } from 'tap';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import { assertEnds, stallAll } from '../support/stalls/ends.js';
import {
  placesFor,
  SHORT_SHUTDOWN,
  SHORT_TIMEOUTS,
  SHUTDOWN_TIMEOUT_MS,
  TIMEOUT_MS,
} from '../support/stalls/limits.js';
import { exitOf, startRig, untilProcesses, type Rig, type RigOptions } from '../support/stalls/rig.js';

t.jobs = 3;

/** Beyond shutdown-timeout: a connection gets ten seconds to close, and this machine may be slow. */
const EXIT_TIMEOUT_MS = 20_000;

async function start(t: Test, options: RigOptions): Promise<Rig> {
  const rig = await startRig({
    ...options,
    limits: { ...placesFor(options.workers ?? 1), ...options.limits },
  });
  t.teardown(() => rig.close());
  return rig;
}

for (const workers of [1, 2]) {
  const where = workers === 1 ? 'in one process' : `in ${workers} workers`;

  t.test(`each timeout ends what it is for, and frees the place, ${where}`, { buffered: true }, async (t) => {
    const rig = await start(t, { workers, limits: SHORT_TIMEOUTS });
    const processes = rig.processes();
    const before = processes.map((pid) => openSockets(pid));
    for (const round of ['first', 'second']) {
      await t.test(round, async (t) => {
        await assertEnds(t, rig, await stallAll(rig), TIMEOUT_MS, ({ timeout }) => timeout);
      });
    }
    for (const [index, pid] of processes.entries()) {
      await t.resolves(untilNoOtherSocket(pid, before[index]!), `no socket is left in process ${index}`);
    }
    t.same(rig.processes(), processes, 'and all processes are still there');
    rig.program.signal('SIGTERM');
    t.equal(await exitOf(rig, EXIT_TIMEOUT_MS), 0);
  });

  for (const before of ['', ' after a reload that closed its listener']) {
    const title = `SIGTERM${before} ends every client when its time is up, ${where}`;
    t.test(title, { buffered: true }, async (t) => {
      const rig = await start(t, { workers, limits: SHORT_SHUTDOWN });
      const stalled = await stallAll(rig);
      if (before !== '') await rig.reload({ closeListeners: true });
      rig.program.signal('SIGTERM');
      await assertEnds(t, rig, stalled, SHUTDOWN_TIMEOUT_MS, () => ({ outcome: 'shutdown' }));
      t.equal(await exitOf(rig, SHUTDOWN_TIMEOUT_MS + EXIT_TIMEOUT_MS), 0);
    });
  }
}

t.test(
  'a worker that a reload makes superfluous ends when its clients timed out',
  { buffered: true },
  async (t) => {
    const rig = await start(t, { workers: 3, limits: SHORT_TIMEOUTS });
    const processes = rig.processes();
    const stalled = await stallAll(rig);
    await rig.reload({ workers: 2 });
    await assertEnds(t, rig, stalled, TIMEOUT_MS, ({ timeout }) => timeout);
    await t.resolves(untilProcesses(rig, processes.length - 1));
    rig.program.signal('SIGTERM');
    t.equal(await exitOf(rig, EXIT_TIMEOUT_MS), 0);
    const lost = rig.program.log.filter(({ event }) => event === 'worker_lost');
    t.same(lost, []);
  },
);
