/**
 * A client that vanishes, with no packet to say so, is let go like one that is silent: its replies and the end of its
 * connection are never acknowledged. OLDHELLO_CASES chooses cases by their names.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import { hasPeer } from '../support/peers/require-peer.js';
import type { Table } from '../support/proxy-config.js';
import { STALL_CASES } from '../support/stalls/cases.js';
import { assertEnds, stallAll } from '../support/stalls/ends.js';
import {
  placesFor,
  SHORT_SHUTDOWN,
  SHORT_TIMEOUTS,
  SHUTDOWN_TIMEOUT_MS,
  TIMEOUT_MS,
} from '../support/stalls/limits.js';
import { makeNamespace, missingForNamespace, type Namespace } from '../support/stalls/namespace.js';
import { exitOf, startRig, type Rig, type Stalled } from '../support/stalls/rig.js';

t.jobs = 3;

/** What a connection gets to close, and some more for a slow machine. */
const CLOSE_TIMEOUT_MS = 20_000;
/** As soon as somebody who has vanished should be looked for. */
const MAX_KEEPALIVE_MINUTES = 10;

let networks = 0;

interface Scene {
  readonly rig: Rig;
  readonly network: Namespace;
}

async function start(t: Test, workers: number, limits: Table): Promise<Scene | undefined> {
  if (!hasPeer(t, 'a network namespace', missingForNamespace())) return undefined;
  const network = makeNamespace((networks += 1));
  t.teardown(() => network.close());
  const { programHost: host, backendHost, runner } = network;
  const rig = await startRig({
    workers,
    host,
    backendHost,
    runner,
    limits: { ...placesFor(workers), ...limits },
  });
  t.teardown(() => rig.close());
  return { rig, network };
}

/** They cannot see that their connections are closed. */
async function vanish({ rig, network }: Scene): Promise<Omit<Stalled, 'client'>[]> {
  const stalled = await stallAll(rig, network.clientHosts[0]);
  network.drop(network.clientHosts[0]);
  return stalled.map(({ events, failure }) => ({ events, failure }));
}

/** Once nothing is on its way any more: the timer of a retransmission hides that of keepalive. */
async function quietConnections(network: Namespace): Promise<string[]> {
  for (;;) {
    const connections = network.connections();
    if (connections.every((line) => !line.includes('timer:(on,'))) return connections;
    await pause(50);
  }
}

for (const workers of [1, 2]) {
  const where = workers === 1 ? 'in one process' : `in ${workers} workers`;

  t.test(`a vanished client is timed out, and frees its place, ${where}`, { buffered: true }, async (t) => {
    const scene = await start(t, workers, SHORT_TIMEOUTS);
    if (scene === undefined) return;
    const { rig, network } = scene;
    const processes = rig.processes();
    const before = processes.map((pid) => openSockets(pid));
    const vanished = await vanish(scene);
    await assertEnds(t, rig, vanished, TIMEOUT_MS + CLOSE_TIMEOUT_MS, ({ timeout }) => timeout);
    for (const [index, pid] of processes.entries()) {
      await t.resolves(untilNoOtherSocket(pid, before[index]!), `no socket is left in process ${index}`);
    }
    await t.test('the next ones find room', async (t) => {
      await assertEnds(
        t,
        rig,
        await stallAll(rig, network.clientHosts[1]),
        TIMEOUT_MS + CLOSE_TIMEOUT_MS,
        ({ timeout }) => timeout,
      );
    });
    t.same(rig.processes(), processes, 'all processes are still there');
  });

  t.test(`a vanished client does not hold up a shutdown, ${where}`, { buffered: true }, async (t) => {
    const scene = await start(t, workers, SHORT_SHUTDOWN);
    if (scene === undefined) return;
    const { rig } = scene;
    const vanished = await vanish(scene);
    rig.program.signal('SIGTERM');
    await assertEnds(t, rig, vanished, SHUTDOWN_TIMEOUT_MS + CLOSE_TIMEOUT_MS, () => ({
      outcome: 'shutdown',
    }));
    t.equal(await exitOf(rig, CLOSE_TIMEOUT_MS), 0);
  });

  t.test(`every connection is watched by TCP keepalive, ${where}`, { buffered: true }, async (t) => {
    const scene = await start(t, workers, {});
    if (scene === undefined) return;
    await stallAll(scene.rig, scene.network.clientHosts[0]);
    const connections = await quietConnections(scene.network);
    t.ok(connections.length >= STALL_CASES.length, 'there are some to look at');
    const unwatched = connections.filter((line) => {
      const minutes = /timer:\(keepalive,(?:(\d+)min)?/.exec(line);
      return minutes === null || Number(minutes[1] ?? 0) > MAX_KEEPALIVE_MINUTES;
    });
    t.same(unwatched, []);
  });
}
