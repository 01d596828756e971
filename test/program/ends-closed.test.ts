/** A close by either side is noticed at every point of every path, at once. OLDHELLO_CASES chooses cases by their names. */
import t, { type Test } from 'tap';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import type { SmtpClient } from '../support/smtp-client.js';
import { STALL_CASES, type Expected, type StallCase } from '../support/stalls/cases.js';
import { placesFor } from '../support/stalls/limits.js';
import { endOf, startRig, type Rig } from '../support/stalls/rig.js';

t.jobs = 2;

/** Far less than any timeout of the program. */
const SOON_MS = 10_000;

interface Stopped {
  readonly rig: Rig;
  /** Lets a close come about, and looks how each of the cases ends. */
  readonly endBy: (close: (rig: Rig, clients: readonly SmtpClient[]) => void) => Promise<void>;
}

/** Takes each case where it falls silent. */
async function stop(
  t: Test,
  workers: number,
  cases: readonly StallCase[],
  expected: (one: StallCase) => Expected,
): Promise<Stopped> {
  const rig = await startRig({ workers, limits: placesFor(workers) });
  t.teardown(() => rig.close());
  const processes = rig.processes();
  const before = processes.map((pid) => openSockets(pid));
  const stalled = await Promise.all(cases.map((one) => rig.stall(one)));
  return {
    rig,
    async endBy(close) {
      close(
        rig,
        stalled.map(({ client }) => client),
      );
      const ends = await Promise.all(stalled.map((one) => endOf(rig, one, SOON_MS)));
      for (const [index, one] of cases.entries()) {
        const { events, ...end } = ends[index]!;
        const all = { failure: undefined, closed: true, events: 1, ...expected(one) };
        t.match({ ...events[0], ...end, events: events.length }, all, one.name);
      }
      for (const [index, pid] of processes.entries()) {
        await t.resolves(untilNoOtherSocket(pid, before[index]!), `no socket is left in process ${index}`);
      }
    },
  };
}

const IN_ORDER = 'ends its connection in order';
const CLOSES = {
  [IN_ORDER]: (client) => client.halfClose(),
  'resets its connection': (client) => client.reset(),
} as const satisfies Record<string, (client: SmtpClient) => void>;

/** None of a timeout, and none that blames what the client sent. */
const GONE: Expected = {
  outcome: /^(?:client_gone|left_after_handshake|completed|plaintext|passthrough_failed)$/,
};

const BACKEND_CLOSES = {
  'ends its connections in order': 'end',
  'resets its connections': 'resetAndDestroy',
} as const;

/** Where the proxy has a connection to the backend. */
const AT_BACKEND = STALL_CASES.filter(({ atBackend }) => atBackend);

for (const workers of [1, 2]) {
  const where = workers === 1 ? 'in one process' : `in ${workers} workers`;

  for (const [how, close] of Object.entries(CLOSES)) {
    t.test(`a client that ${how} is let go wherever it stands, ${where}`, { buffered: true }, async (t) => {
      const cases = how === IN_ORDER ? STALL_CASES.filter(({ owed }) => owed !== true) : STALL_CASES;
      const { endBy } = await stop(t, workers, cases, () => GONE);
      await endBy((_, clients) => clients.forEach(close));
    });
  }

  for (const [how, close] of Object.entries(BACKEND_CLOSES)) {
    t.test(`a backend that ${how} ends the client's, ${where}`, { buffered: true }, async (t) => {
      // In order may be all right; and what passes through TLS, the proxy does not see.
      const expected = ({ name }: StallCase): Expected =>
        close === 'end' || name.startsWith('passthrough') ? {} : { outcome: 'backend_failed' };
      const { endBy } = await stop(t, workers, AT_BACKEND, expected);
      await endBy((rig) => rig.closeBackends(close));
    });
  }
}
