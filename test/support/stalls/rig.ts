/** oldhello in front of backends of every kind, and clients that have come as far as their case says. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startProgram, type LogLine, type Program, type ProgramOptions } from '../program.js';
import { proxyConfig, type Table } from '../proxy-config.js';
import { SmtpClient } from '../smtp-client.js';
import { BACKEND_NAME, makeBackendContext, startStallBackend } from './backend.js';
import type { StallCase } from './cases.js';
import { BACKENDS, MODES, type BackendId, type Mode } from './stages.js';

export interface RigOptions {
  readonly workers?: number;
  readonly limits: Table;
  /** Addresses of the program and of its backends. */
  readonly host?: string;
  readonly backendHost?: string;
  readonly runner?: NonNullable<ProgramOptions['runner']>;
}

export interface Rig {
  readonly program: Program;
  /** The program's, and those of its workers. */
  processes(): number[];
  /** Takes a client to where it falls silent, or as far as it is let. @param from its address */
  stall(one: StallCase, from?: string): Promise<Stalled>;
  reload(change: { readonly workers?: number; readonly closeListeners?: boolean }): Promise<void>;
  /** All connections to them. */
  closeBackends(how: 'end' | 'resetAndDestroy'): void;
  /** Ends what is left, whatever happened. */
  close(): Promise<void>;
}

export interface Stalled {
  readonly client: SmtpClient;
  /** What the log has of its connection's end, so far. */
  readonly events: () => readonly LogLine[];
  /** Why it did not come as far as its case says. */
  readonly failure: string | undefined;
}

/** How it went on with a client. */
export interface Ended extends Pick<Stalled, 'failure'> {
  /** Whether the client saw its connection closed. */
  readonly closed: boolean;
  /** All that the log says of its end. */
  readonly events: readonly LogLine[];
}

/**
 * Three checks show that the greeting stays the same, also where the machine is slow; those before all workers run may
 * reach them all at once, and count as one.
 */
const LEARNT = { 'first-session': 'learnt', 'health-interval': '1500ms' };

const ROWS = Object.entries(BACKENDS).flatMap(([id, row]) =>
  MODES.filter((mode) => mode !== 'tcp' || row.identity !== 'xclient').map((mode) => {
    return { ...row, mode, name: nameOf(id as BackendId, mode) };
  }),
);

export async function startRig(options: RigOptions): Promise<Rig> {
  const { limits, host = '127.0.0.1', backendHost = host, workers: initial = 1, runner } = options;
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-stalls-'));
  const secureContext = makeBackendContext(folder);
  const trust = { 'tls-ca': join(folder, 'self-signed.crt'), 'tls-name': BACKEND_NAME };
  const backends = await Promise.all(
    ROWS.map(async ({ behaviour, identity, mode, name, tls, ...row }) => {
      const proxyHeader = identity === 'proxy-v1';
      const backend = await startStallBackend({
        behaviour: behaviour[mode],
        proxyHeader,
        host: backendHost,
        secureContext,
      });
      const address = `${backendHost}:${backend.port}`;
      const learnt = 'learnt' in row;
      const table = { name, address, identity, tls, ...(tls === 'bridge' && trust), ...(learnt && LEARNT) };
      return { ...backend, learnt, table };
    }),
  );
  const address = `${host}:0`;
  const listeners = ROWS.map(({ name, mode }) => ({ name, address, mode, backend: name }));
  const spare = { ...listeners[0]!, name: 'spare' };
  const configure = (workers: number, own: readonly Table[]): string =>
    proxyConfig({
      server: { workers },
      listeners: [spare, ...own],
      backends: backends.map(({ table }) => table),
      tls: { profile: 'ancient' },
      limits,
    });
  const closeBackends = (): void => {
    for (const backend of backends) backend.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const program = await startProgram(
    configure(initial, listeners),
    ROWS.length + 1,
    runner && { runner },
  ).catch((error: unknown) => {
    closeBackends();
    throw error;
  });
  // Before that, not every worker takes clients.
  while (!program.log.some(({ event }) => event === 'started')) await once(program.lines, 'line');
  await Promise.all(backends.filter(({ learnt }) => learnt).map((backend) => backend.checks(3)));
  const clients: SmtpClient[] = [];
  // Every stalled client waits for its line.
  program.lines.setMaxListeners(0);
  return {
    program,
    processes: () => [program.pid, ...childrenOf(program.pid)],
    async stall({ backend, mode, reach }, from = host) {
      const listener = nameOf(backend, mode);
      const client = await SmtpClient.connect(program.ports.get(listener)!, from, host);
      const { localPort } = client;
      const start = program.log.length;
      // The kernel gives the same port to clients of several listeners, and again to later ones.
      const isOwn = (line: LogLine): boolean =>
        line.event === 'connection_closed' && line['listener'] === listener && portOf(line) === localPort;
      const events = (): readonly LogLine[] => program.log.slice(start).filter(isOwn);
      clients.push(client);
      const failure = await Promise.race([reach(client), late()]).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      return { client, events, failure };
    },
    async reload({ workers = initial, closeListeners = false }) {
      program.configure(configure(workers, closeListeners ? [] : listeners));
      program.signal('SIGHUP');
      await program.next('reloaded');
    },
    closeBackends: (how) => backends.forEach((backend) => backend.closeConnections(how)),
    async close() {
      program.signal('SIGKILL');
      await program.exited;
      for (const client of clients) client.destroy();
      closeBackends();
    },
  };
}

/** A step that never comes fails its case, by name, and not the whole test. */
async function late(): Promise<never> {
  await pause(REACH_TIMEOUT_MS, undefined, { ref: false });
  throw new Error(`it did not come so far within ${REACH_TIMEOUT_MS} ms`);
}

function nameOf(backend: BackendId, mode: Mode): string {
  return `${backend}, ${mode}`;
}

/** From Linux's own books. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

/**
 * Waits until a client's connection is closed and logged, for as long as a loaded machine may need beyond `within` ms.
 * @param client undefined where it cannot see that it is closed
 */
export async function endOf(
  { program }: Rig,
  { client, events, failure }: Omit<Stalled, 'client'> & Partial<Stalled>,
  within: number,
): Promise<Ended> {
  const deadline = AbortSignal.timeout(within + TIMEOUT_MS);
  const expired = once(deadline, 'abort').then(() => false);
  const gone = client?.gone.then(() => true) ?? Promise.resolve(false);
  const closed = await Promise.race([gone, expired]);
  while (events().length === 0 && !deadline.aborted) {
    await Promise.race([once(program.lines, 'line'), expired]);
  }
  return { failure, closed, events: events() };
}

function portOf(line: LogLine): number {
  return (line['client'] as { port: number }).port;
}

/** Waits until there are so many processes, for as long as a loaded machine may need. @throws */
export async function untilProcesses(rig: Rig, count: number): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (rig.processes().length !== count) {
    if (performance.now() > deadline) throw new Error(`not ${count} processes but ${rig.processes().length}`);
    await pause(20);
  }
}

/** @returns the exit code, or undefined where it still runs when it should not */
export function exitOf({ program }: Rig, within: number): Promise<number | null | undefined> {
  const tooLate = new Promise<undefined>((resolve) => setTimeout(resolve, within, undefined).unref());
  return Promise.race([program.exited, tooLate]);
}

/** Milliseconds. */
const TIMEOUT_MS = 10_000;

/** Far beyond what a loaded machine needs. */
const REACH_TIMEOUT_MS = 60_000;
