/** One worker process, from its start to its end, and the connections that it runs. */
import { fork, type ChildProcess } from 'node:child_process';
import type { LogChannel } from '../../observe/log.js';
import {
  failedConnection,
  type ConnectionEvent,
  type ConnectionFacts,
  type Failure,
} from '../../observe/connection-record.js';
import type { AcceptedClient } from '../config-snapshot.js';
import { overLimit } from '../connection/ending.js';
import type { SessionStore } from '../resumption/session-store.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import {
  portableBytes,
  portableSession,
  restoreBytes,
  restoreSession,
  type ToPrimary,
  type ToWorker,
} from './worker-protocol.js';

/** A connection to be passed to a worker. */
export interface Handover {
  readonly channel: SocketChannel;
  readonly first: Buffer;
  readonly accepted: AcceptedClient;
  readonly ended: (event: ConnectionEvent) => void;
}

/** What is known here of a connection that a worker runs. */
interface Served extends Pick<Handover, 'accepted' | 'ended'> {
  /** Closes it here; undefined once the worker has got it. */
  withdraw: (() => void) | undefined;
  /** On the clock of performance.now(). */
  readonly started: number;
  /** What the worker has told of it. */
  facts?: ConnectionFacts;
}

/** One process, from its start to its end. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #pool: WorkerPoolServices;
  readonly #connections = new Map<number, Served>();
  readonly #started = performance.now();
  readonly #heartbeat: NodeJS.Timeout;
  #next = 0;
  #silent = 0;
  /** The number of the newest configuration it has; -1 for none. */
  #configured = -1;
  #closing = false;
  #over = false;

  /** @throws Error where the system refuses at once */
  constructor(pool: WorkerPoolServices) {
    this.#pool = pool;
    this.#child = fork(new URL('./worker.js', import.meta.url), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (messages: readonly ToPrimary[]) => {
      this.#silent = 0;
      for (const message of messages) this.#onMessage(message);
    });
    this.#child.on('error', (error) => {
      if (this.pid === 0) this.#exited(error.message);
      else pool.channel.log('internal_error', { error: String(error.stack) });
    });
    // It has exited, and its last messages were read.
    this.#child.once('close', (code, signal) => this.#exited(signal ?? `code ${code}`));
    this.#heartbeat = setInterval(() => this.#checkPulse(), HEARTBEAT_MS);
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

  isConfigured(number: number): boolean {
    return this.#configured >= number;
  }

  /** Whether it can be given connections. */
  get ready(): boolean {
    return this.#configured >= 0 && !this.#closing && this.#child.connected;
  }

  send(message: ToWorker): void {
    // A worker whose channel is closed ends, which `close` reports.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  serve({ channel, first, accepted, ended }: Handover): void {
    const id = this.#next++;
    const served: Served = { accepted, ended, withdraw: undefined, started: performance.now() };
    this.#connections.set(id, served);
    const message = (unread: Buffer): ToWorker => {
      return { kind: 'serve', id, first: portableBytes(Buffer.concat([first, unread])), accepted };
    };
    served.withdraw = channel.sendTo(this.#child, message, (error) => {
      served.withdraw = undefined;
      if (error !== null) this.#lost(id);
    });
  }

  close(timeoutMs: number): void {
    this.#closing = true;
    this.send({ kind: 'close', timeoutMs });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onMessage(message: ToPrimary): void {
    const { sessions, changed, freed, channel } = this.#pool;
    switch (message.kind) {
      case 'configured':
        this.#configured = message.number;
        changed();
        return;
      case 'ended':
        this.#connections.get(message.id)?.ended(message.event);
        this.#connections.delete(message.id);
        freed();
        return;
      case 'facts': {
        const connection = this.#connections.get(message.id);
        if (connection !== undefined) connection.facts = message.facts;
        return;
      }
      case 'missed':
        for (const id of message.ids) this.#lost(id, overLimit('open-files'));
        freed();
        return;
      case 'event':
        channel.publish(message.entry);
        return;
      case 'find_session': {
        const { lookup } = message;
        sessions.find(restoreBytes(message.sessionId), (session) =>
          this.send({ kind: 'session', lookup, session: session && portableSession(session) }),
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

  /** A worker whose event loop hangs is killed. */
  #checkPulse(): void {
    this.#silent += 1;
    if (this.#silent > MISSED_HEARTBEATS) this.kill();
    else this.send({ kind: 'ping', sent: this.#next });
  }

  #lost(id: number, failure: Failure = WORKER_LOST): void {
    const connection = this.#connections.get(id);
    this.#connections.delete(id);
    if (connection === undefined) return;
    const { accepted, started, facts, ended } = connection;
    ended({ ...failedConnection(accepted, failure, started), ...facts });
  }

  #exited(how: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#heartbeat);
    const all = [...this.#connections.values()];
    for (const id of [...this.#connections.keys()]) this.#lost(id);
    // Node sends one socket after the other, and calls back for the last one only; the rest are closed here.
    setTimeout(() => all.forEach(({ withdraw }) => withdraw?.()));
    this.#pool.exited(this, how, all.length);
  }
}

export interface WorkerPoolOptions {
  readonly channel: LogChannel;
  /** Shared by all workers. */
  readonly sessions: SessionStore;
}

export interface WorkerPoolServices extends WorkerPoolOptions {
  readonly changed: () => void;
  /** A connection has ended. */
  readonly freed: () => void;
  readonly exited: (worker: WorkerProcess, how: string, connections: number) => void;
}

export const WORKER_LOST: Failure = { outcome: 'worker_lost' };

const HEARTBEAT_MS = 5_000;
/** After so many pings without an answer, a worker is taken to hang. */
const MISSED_HEARTBEATS = 6;
