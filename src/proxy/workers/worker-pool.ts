/**
 * Worker processes that run the connections, as many as the configuration says. This process accepts and admits, and
 * passes each connection to the worker that has the fewest; so limits stay in one place, and no listening socket closes
 * because a worker dies. A worker that ends takes its own connections with it, and another worker replaces it.
 */
import { availableParallelism } from 'node:os';
import { runsWorkers } from '../../config/restart.js';
import type { Config } from '../../config/schema.js';
import { failedConnection, type ConnectionEvent } from '../../observe/connection-record.js';
import type { HealthReplies } from '../../smtp/learnt-replies.js';
import { descriptorBudget } from '../../system/descriptors.js';
import type { AddressState } from '../backend/address-book.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import type { ConnectionRunner } from '../connection-runner.js';
import type { AcceptedClient, ConfigSnapshot } from '../config-snapshot.js';
import { portableInputs, portableBytes, type PortableSnapshotInputs } from './worker-protocol.js';
import {
  WORKER_LOST,
  WorkerProcess,
  type Handover,
  type WorkerPoolOptions,
  type WorkerPoolServices,
} from './worker-process.js';

export class WorkerPool implements ConnectionRunner {
  readonly #services: WorkerPoolServices;
  readonly #workers = new Set<WorkerProcess>();
  /** Connections that wait for a ready worker, with their timeouts. */
  readonly #waiting = new Map<Handover, NodeJS.Timeout>();
  #size = 0;
  /** Connections that there are files for in each worker. */
  readonly #room = descriptorBudget().connections;
  #number = 0;
  #inputs: PortableSnapshotInputs | undefined;
  #ticketKeys: readonly string[] = [];
  #failures = 0;
  #closed = false;
  /** Called when all workers have the newest configuration, or are gone. */
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

  /** Resolves when all workers have it; one that is dead gets it when it is replaced. Does nothing after `close`. */
  configure(snapshot: ConfigSnapshot): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#number += 1;
    if (runsWorkers(snapshot.config)) this.#size = processCount(snapshot.config.server);
    this.#inputs = portableInputs(snapshot.inputs, this.#size);
    const listeners = new Set(snapshot.config.listeners.map(({ name }) => name));
    for (const waiting of this.#waiting.keys()) {
      if (!listeners.has(waiting.accepted.listener)) this.#reject(waiting);
    }
    for (const worker of this.#workers) this.#configure(worker);
    const active = [...this.#workers].filter(({ closing }) => !closing);
    for (const worker of active.slice(this.#size)) worker.close(NO_LIMIT_MS);
    for (let missing = this.#size - active.length; missing > 0; missing -= 1) this.#start();
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#changed();
    });
  }

  get processes(): number {
    return this.#size;
  }

  learn(backend: string, replies: HealthReplies | undefined): void {
    for (const worker of this.#workers) worker.send({ kind: 'learn', backend, replies });
  }

  learnAddress(state: AddressState): void {
    for (const worker of this.#workers) worker.send({ kind: 'address_state', state });
  }

  useTicketKeys(keys: readonly Buffer[]): void {
    this.#ticketKeys = keys.map(portableBytes);
    for (const worker of this.#workers) worker.send({ kind: 'ticket_keys', keys: this.#ticketKeys });
  }

  serve(
    channel: SocketChannel,
    first: Buffer,
    accepted: AcceptedClient,
    ended: (event: ConnectionEvent) => void,
  ): void {
    const handover = { channel, first, accepted, ended };
    const worker = this.#leastLoaded();
    if (worker !== undefined) worker.serve(handover);
    else if (this.#waiting.size < MAX_WAITING && !this.#closed) {
      this.#waiting.set(
        handover,
        setTimeout(() => this.#reject(handover), WAIT_TIMEOUT_MS),
      );
    } else refuse(handover);
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    for (const handover of this.#waiting.keys()) this.#reject(handover);
    for (const worker of this.#workers) worker.close(timeoutMs);
    const cut = setTimeout(() => {
      for (const worker of this.#workers) worker.kill();
    }, timeoutMs + DRAIN_TIMEOUT_MS);
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
      this.#configure(worker);
    } catch (error) {
      this.#startAgain({ pid: 0, how: (error as Error).message, connections: 0 }, 0);
    }
  }

  #configure(worker: WorkerProcess): void {
    worker.send({ kind: 'ticket_keys', keys: this.#ticketKeys });
    worker.send({ kind: 'configure', number: this.#number, inputs: this.#inputs! });
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
      : workers.every((worker) => worker.isConfigured(this.#number));
    if (settled) for (const resolve of this.#settled.splice(0)) resolve();
  }

  #exited(worker: WorkerProcess, how: string, connections: number): void {
    this.#workers.delete(worker);
    if (!worker.closing && !this.#closed) this.#startAgain({ pid: worker.pid, how, connections }, worker.age);
    this.#changed();
  }

  #startAgain(lost: { pid: number; how: string; connections: number }, age: number): void {
    this.#failures = age > STABLE_AFTER_MS ? 0 : this.#failures + 1;
    const delay =
      this.#failures === 0 ? 0 : Math.min(RESTART_DELAY_MS * 2 ** (this.#failures - 1), MAX_RESTART_DELAY_MS);
    this.#services.channel.log('worker_lost', { ...lost, restart: delay });
    setTimeout(() => {
      const active = [...this.#workers].filter(({ closing }) => !closing);
      if (!this.#closed && active.length < this.#size) this.#start();
    }, delay);
  }

  #reject(handover: Handover): void {
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

/** The client's connection ends, and it tries again. */
function refuse({ channel, accepted, ended }: Handover): void {
  channel.destroy();
  ended(failedConnection(accepted, WORKER_LOST));
}

/** Connections that wait for a worker to start, which takes a second. */
const MAX_WAITING = 1_000;
/** For a connection that waits for a worker. */
const WAIT_TIMEOUT_MS = 10_000;
/** A worker that ran this long restarts at once. */
const STABLE_AFTER_MS = 60_000;
/** Before a worker that ended soon after its start is started again; doubled each time. */
const RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 30_000;
/** The most that a timer takes: a reload does not end connections. */
const NO_LIMIT_MS = 2 ** 31 - 1;
/** Beyond the configured time, for connections to send 421 and close. */
const DRAIN_TIMEOUT_MS = 20_000;
