/** Clients that come and go at once, in front of a backend that is slow to greet, keep no place from those that stay. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { openSockets, untilNoOtherSocket } from '../support/open-sockets.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { makeBackendContext, startStallBackend, type BackendBehaviour } from '../support/stalls/backend.js';

const CONNECTIONS = 2_000;
const AT_ONCE = 100;
/** Some batches at once, as the kernel may keep one until it is accepted; far fewer than all. */
const PLACES = 3 * AT_ONCE;

type Identity = 'none' | 'xclient' | 'proxy-v1' | 'proxy-v2';

async function start(t: Test, identity: Identity, behaviour: BackendBehaviour): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-short-'));
  const backend = await startStallBackend({
    behaviour,
    proxyHeader: identity.startsWith('proxy'),
    host: '127.0.0.1',
    secureContext: makeBackendContext(folder),
  });
  const program = await startProgram(
    proxyConfig({
      backend: {
        address: backend.port,
        identity,
        ...(identity === 'none' && { 'acknowledge-relay-risk': true }),
      },
      limits: { 'max-connections': PLACES, 'max-connections-per-address': PLACES },
    }),
    1,
  );
  t.teardown(async () => {
    program.signal('SIGKILL');
    await program.exited;
    backend.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return program;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** A batch comes when the one before has left no socket. @returns the outcomes */
async function comeAndGo(program: Program, close: (socket: Socket) => void): Promise<ReadonlySet<unknown>> {
  const before = openSockets(program.pid);
  for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
    const sockets = await Promise.all(
      Array.from({ length: AT_ONCE }, () => connected(program.ports.get('mx')!)),
    );
    sockets.forEach(close);
    await untilNoOtherSocket(program.pid, before);
    for (const socket of sockets) socket.destroy();
  }
  const closed = program.log.filter(({ event }) => event === 'connection_closed');
  return new Set(closed.map(({ outcome }) => outcome));
}

/** Of clients that were not turned away. */
const LET_GO = new Set<unknown>(['plaintext', 'client_gone']);

const SILENT: readonly (readonly [Identity, 'greeting' | 'EHLO'])[] = [
  ['none', 'greeting'],
  ['none', 'EHLO'],
  ['xclient', 'greeting'],
  ['xclient', 'EHLO'],
  ['proxy-v1', 'greeting'],
];

for (const [identity, silent] of SILENT) {
  for (const close of ['end', 'resetAndDestroy'] as const) {
    const title = `${CONNECTIONS} clients that leave (${close}) before the ${silent} is answered, identity "${identity}"`;
    test(title, async (t) => {
      const program = await start(t, identity, { tls: 'none', silent });
      const outcomes = await comeAndGo(program, (socket) => socket[close]());
      t.same(
        [...outcomes].filter((outcome) => !LET_GO.has(outcome)),
        [],
        'nobody was turned away',
      );
      t.ok(outcomes.size > 0, 'and they were noticed');
    });
  }
}
