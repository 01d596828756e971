/**
 * Worker processes that run the connections, as many as the configuration says. This process accepts, decides who comes
 * in, and passes each connection to the worker that has the fewest; so limits and memories stay in one place, and a
 * listening socket is never closed because a worker dies. What ends a worker ends its own connections only, and another
 * one takes its place.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { runsWorkers } from '../../config/restart.js';
import type { Config } from '../../config/schema.js';
import type { LogChannel } from '../../observe/log.js';
import { ConnectionRecord, type ConnectionEvent } from '../../observe/connection-record.js';
import { descriptorBudget } from '../../system/descriptors.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import type { ConnectionRunner } from '../connection-runner.js';
import type { AcceptedClient, ConfigSnapshot } from '../config-snapshot.js';
import type { SessionStore } from '../resumption/session-store.js';
import {
  portableBlueprint,
  portableBytes,
  portableSession,
  restoreBytes,
  restoreSession,
  type PortableSnapshotInputs,
  type ToPrimary,
  type ToWorker,
} from './worker-protocol.js';

interface Handover {
  readonly channel: SocketChannel;
  readonly first: Buffer;
  readonly arrival: AcceptedClient;
  readonly ended: (event: ConnectionEvent) => void;
}

/** What is known here of a connection that a worker runs. */
interface Served extends Pick<Handover, 'arrival' | 'ended'> {
  /** Closes it here; undefined once the worker has got it. */
  withdraw: (() => void) | undefined;
  /** On the clock of performance.now(). */
  readonly started: number;
}

/** One process, from its start to its end. */
class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #pool: WorkerPoolServices;
  readonly #connections = new Map<number, Served>();
  readonly #started = performance.now();
  readonly #heartbeat: NodeJS.Timeout;
  #next = 0;
  #silent = 0;
  /** The newest set-up it has; -1 for none. */
  #using = -1;
  #closing = false;
  #over = false;

  /** @throws what the system says, if it says so at once */
  constructor(pool: WorkerPoolServices) {
    this.#pool = pool;
    this.#child = fork(new URL('./worker.js', import.meta.url), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (messages: readonly ToPrimary[]) => {
      this.#silent = 0;
      for (const message of messages) this.#hear(message);
    });
    this.#child.on('error', (error) => {
      if (this.pid === 0) this.#exited(error.message);
      else pool.channel.log('internal_error', { error: String(error.stack) });
    });
    // It has exited, and its last words were read.
    this.#child.once('close', (code, signal) => this.#exited(signal ?? `code ${code}`));
    this.#heartbeat = setInterval(() => this.#checkPulse(), HEARTBEAT);
    this.#heartbeat.unref();
  }

  /** 0 if it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Connections it runs. */
  get load(): number {
    return this.#connections.size;
  }

  /** Milliseconds. */
  get age(): number {
    return performance.now() - this.#started;
  }

  get closing(): boolean {
    return this.#closing;
  }

  isUsing(number: number): boolean {
    return this.#using >= number;
  }

  /** Whether it can be given connections. */
  get ready(): boolean {
    return this.#using >= 0 && !this.#closing && this.#child.connected;
  }

  tell(message: ToWorker): void {
    // Where it cannot be told any more, it ends, which is heard.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  serve({ channel, first, arrival, ended }: Handover): void {
    const id = this.#next++;
    const served: Served = { arrival, ended, withdraw: undefined, started: performance.now() };
    this.#connections.set(id, served);
    const message = (unread: Buffer): ToWorker => {
      return { kind: 'serve', id, first: portableBytes(Buffer.concat([first, unread])), arrival };
    };
    served.withdraw = channel.sendTo(this.#child, message, (error) => {
      served.withdraw = undefined;
      if (error !== null) this.#lost(id);
    });
  }

  close(patience: number): void {
    this.#closing = true;
    this.tell({ kind: 'close', patience });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(message: ToPrimary): void {
    const { sessions, changed, freed, channel } = this.#pool;
    switch (message.kind) {
      case 'using':
        this.#using = message.number;
        changed();
        return;
      case 'ended':
        this.#connections.get(message.id)?.ended(message.event);
        this.#connections.delete(message.id);
        freed();
        return;
      case 'event':
        channel.publish(message.entry);
        return;
      case 'find_session': {
        const { lookup } = message;
        sessions.find(restoreBytes(message.sessionId), (session) =>
          this.tell({ kind: 'session', lookup, session: session && portableSession(session) }),
        );
        return;
      }
      case 'save_session':
        sessions.save(restoreBytes(message.sessionId), restoreSession(message.session));
        return;
      case 'forget_session':
        sessions.forget(restoreBytes(message.sessionId));
        return;
      case 'alive':
    }
  }

  /** An event loop that hangs serves nobody. */
  #checkPulse(): void {
    this.#silent += 1;
    if (this.#silent > MISSED_HEARTBEATS) this.kill();
    else this.tell({ kind: 'ping' });
  }

  #lost(id: number): void {
    const connection = this.#connections.get(id);
    this.#connections.delete(id);
    connection?.ended(lostEvent(connection.arrival, connection.started));
  }

  #exited(how: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#heartbeat);
    const all = [...this.#connections.values()];
    for (const id of [...this.#connections.keys()]) this.#lost(id);
    // Node sends one socket after the other, and forgets those whose turn never came; the last one it does answer for.
    setTimeout(() => all.forEach(({ withdraw }) => withdraw?.()));
    this.#pool.exited(this, how, all.length);
  }
}

export interface WorkerPoolOptions {
  readonly channel: LogChannel;
  /** Shared by all workers. */
  readonly sessions: SessionStore;
}

interface WorkerPoolServices extends WorkerPoolOptions {
  readonly changed: () => void;
  /** A connection has ended. */
  readonly freed: () => void;
  readonly exited: (worker: WorkerProcess, how: string, connections: number) => void;
}

export class WorkerPool implements ConnectionRunner {
  readonly #services: WorkerPoolServices;
  readonly #workers = new Set<WorkerProcess>();
  /** Who came while no worker was ready, and when that has taken too long. */
  readonly #waiting = new Map<Handover, NodeJS.Timeout>();
  #size = 0;
  /** Connections that there are files for in each worker. */
  readonly #room = descriptorBudget().connections;
  #number = 0;
  #blueprint: PortableSnapshotInputs | undefined;
  #ticketKeys: readonly string[] = [];
  #failures = 0;
  #closed = false;
  /** Who waits for all workers to have the newest set-up, or to be gone. */
  readonly #settled: (() => void)[] = [];

  constructor(options: WorkerPoolOptions) {
    this.#services = {
      ...options,
      changed: () => this.#changed(),
      freed: () => {
        if (this.#waiting.size > 0) this.#changed();
      },
      exited: (worker, how, connections) => this.#exited(worker, how, connections),
    };
  }

  /** Resolves when all workers have it; one that is dead gets it when it is replaced. */
  use(runtime: ConfigSnapshot): Promise<void> {
    this.#number += 1;
    if (runsWorkers(runtime.config)) this.#size = processCount(runtime.config.server);
    this.#blueprint = portableBlueprint(runtime.blueprint, this.#size);
    const listeners = new Set(runtime.config.listeners.map(({ name }) => name));
    for (const waiting of this.#waiting.keys()) {
      if (!listeners.has(waiting.arrival.listener)) this.#turnAway(waiting);
    }
    for (const worker of this.#workers) this.#setUp(worker);
    const active = [...this.#workers].filter(({ closing }) => !closing);
    for (const worker of active.slice(this.#size)) worker.close(AS_LONG_AS_IT_TAKES);
    for (let missing = this.#size - active.length; missing > 0; missing -= 1) this.#start();
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#changed();
    });
  }

  get processes(): number {
    return this.#size;
  }

  useTicketKeys(keys: readonly Buffer[]): void {
    this.#ticketKeys = keys.map(portableBytes);
    for (const worker of this.#workers) worker.tell({ kind: 'ticket_keys', keys: this.#ticketKeys });
  }

  serve(
    channel: SocketChannel,
    first: Buffer,
    arrival: AcceptedClient,
    ended: (event: ConnectionEvent) => void,
  ): void {
    const handover = { channel, first, arrival, ended };
    const worker = this.#leastLoaded();
    if (worker !== undefined) worker.serve(handover);
    else if (this.#waiting.size < MAX_WAITING && !this.#closed) {
      this.#waiting.set(
        handover,
        setTimeout(() => this.#turnAway(handover), LONGEST_WAIT),
      );
    } else refuse(handover);
  }

  async close(patience: number): Promise<void> {
    this.#closed = true;
    for (const handover of this.#waiting.keys()) this.#turnAway(handover);
    for (const worker of this.#workers) worker.close(patience);
    const cut = setTimeout(() => {
      for (const worker of this.#workers) worker.kill();
    }, patience + LAST_WORDS);
    await new Promise<void>((resolve) => {
      this.#settled.push(resolve);
      this.#changed();
    });
    clearTimeout(cut);
  }

  #start(): void {
    try {
      const worker = new WorkerProcess(this.#services);
      this.#workers.add(worker);
      this.#setUp(worker);
    } catch (error) {
      this.#startAgain({ pid: 0, how: (error as Error).message, connections: 0 }, 0);
    }
  }

  #setUp(worker: WorkerProcess): void {
    worker.tell({ kind: 'ticket_keys', keys: this.#ticketKeys });
    worker.tell({ kind: 'use', number: this.#number, blueprint: this.#blueprint! });
  }

  #leastLoaded(): WorkerProcess | undefined {
    let least: WorkerProcess | undefined;
    for (const worker of this.#workers) {
      if (!worker.ready || worker.load >= this.#room) continue;
      if (least === undefined || worker.load < least.load) least = worker;
    }
    return least;
  }

  #changed(): void {
    for (const handover of this.#waiting.keys()) {
      const worker = this.#leastLoaded();
      if (worker === undefined) break;
      this.#stopWaiting(handover);
      worker.serve(handover);
    }
    const workers = [...this.#workers].filter((worker) => this.#closed || !worker.closing);
    const settled = this.#closed
      ? workers.length === 0
      : workers.every((worker) => worker.isUsing(this.#number));
    if (settled) for (const resolve of this.#settled.splice(0)) resolve();
  }

  #exited(worker: WorkerProcess, how: string, connections: number): void {
    this.#workers.delete(worker);
    if (!worker.closing && !this.#closed) this.#startAgain({ pid: worker.pid, how, connections }, worker.age);
    this.#changed();
  }

  #startAgain(lost: { pid: number; how: string; connections: number }, age: number): void {
    this.#failures = age > STABLE ? 0 : this.#failures + 1;
    const delay = this.#failures === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (this.#failures - 1), LONGEST_DELAY);
    this.#services.channel.log('worker_lost', { ...lost, restart: delay });
    setTimeout(() => {
      const active = [...this.#workers].filter(({ closing }) => !closing);
      if (!this.#closed && active.length < this.#size) this.#start();
    }, delay);
  }

  #turnAway(handover: Handover): void {
    this.#stopWaiting(handover);
    refuse(handover);
  }

  #stopWaiting(handover: Handover): void {
    clearTimeout(this.#waiting.get(handover));
    this.#waiting.delete(handover);
  }
}

function processCount({ workers }: Config['server']): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/** The client sees its connection end, and comes again. */
function refuse({ channel, arrival, ended }: Handover): void {
  channel.destroy();
  ended(lostEvent(arrival, performance.now()));
}

function lostEvent({ listener, client }: AcceptedClient, started: number): ConnectionEvent {
  const record = new ConnectionRecord(listener, client, started);
  record.recordFailure({ outcome: 'worker_lost' });
  return record.event();
}

/** Connections that wait for a worker to start, which takes a second. */
const MAX_WAITING = 1_000;
/** Milliseconds that a connection waits for a worker. */
const LONGEST_WAIT = 10_000;
/** Milliseconds that a worker must live for its end to count as the first one. */
const STABLE = 60_000;
/** Milliseconds before a worker is started again that ended soon after its start; doubled each time. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;
/** Milliseconds, the most that a timer takes: a reload leaves those who are connected alone. */
const AS_LONG_AS_IT_TAKES = 2 ** 31 - 1;
/** Milliseconds beyond the configured time that connections take to hear 421 and close. */
const LAST_WORDS = 20_000;
/** Milliseconds. */
const HEARTBEAT = 5_000;
/** After so many without a word, a worker hangs. */
const MISSED_HEARTBEATS = 6;
