/** Runs the connections of admitted clients, in this process or in others (see worker-pool.ts). */
import { setDefaultHighWaterMark } from 'node:stream';
import type { ConnectionEvent, ConnectionRecord } from '../observe/connection-record.js';
import type { HealthReplies } from '../smtp/learnt-replies.js';
import type { AddressState } from './backend/address-book.js';
import type { SocketChannel } from './transport/socket-channel.js';
import { ProxiedConnection } from './connection/connection.js';
import type { ConnectionServices } from './connection/plan.js';
import { LiveSet } from './live-set.js';
import type { AcceptedClient, ConfigSnapshot } from './config-snapshot.js';

export interface ConnectionRunner {
  /** How many processes run connections. */
  readonly processes: number;
  /** For every new connection; resolves once new connections get it. */
  configure(snapshot: ConfigSnapshot): Promise<void>;
  /**
   * @param first what the client sent so far
   * @param ended called once, when the connection is over, and never before this returns
   */
  serve(
    channel: SocketChannel,
    first: Buffer,
    accepted: AcceptedClient,
    ended: (event: ConnectionEvent) => void,
  ): void;
  /** What a health check got from a backend; undefined where it failed. */
  learn(backend: string, replies: HealthReplies | undefined): void;
  /** What a health check has found. */
  learnAddress(state: AddressState): void;
  /** The newest first; see TicketKeys. */
  useTicketKeys(keys: readonly Buffer[]): void;
  /**
   * Resolves when the last connection has ended; no new one may come.
   * @param timeoutMs for connections to finish by themselves, before they are shut down
   */
  close(timeoutMs: number): Promise<void>;
}

/** The connections of this process. */
export class InProcessRunner implements ConnectionRunner {
  readonly processes = 1;
  readonly #services: ConnectionServices;
  readonly #connections = new LiveSet<ProxiedConnection>();
  #snapshot: ConfigSnapshot | undefined;
  #drained: (() => void) | undefined;

  constructor(services: ConnectionServices) {
    this.#services = services;
  }

  configure(snapshot: ConfigSnapshot): Promise<void> {
    this.#snapshot = snapshot;
    // For all sockets from now on, as those that come from another process can be given no options of their own.
    setDefaultHighWaterMark(false, snapshot.config.limits.maxBufferedBytes);
    return Promise.resolve();
  }

  learn(backend: string, replies: HealthReplies | undefined): void {
    this.#snapshot?.learn(backend, replies);
  }

  learnAddress(): void {
    // The health checks of this process have told its address book.
  }

  useTicketKeys(): void {
    // The snapshots of this process hold the SessionTickets, which have them already.
  }

  serve(
    channel: SocketChannel,
    first: Buffer,
    accepted: AcceptedClient,
    ended: (event: ConnectionEvent) => void,
  ): ConnectionRecord {
    if (first.length > 0) channel.unread(first);
    const plan = this.#snapshot!.plan(accepted);
    const connection = new ProxiedConnection(plan, channel, this.#services, (event) => {
      leave();
      ended(event);
      if (this.#connections.size === 0) this.#drained?.();
    });
    const leave = this.#connections.enter(connection);
    connection.start();
    return connection.record;
  }

  async close(timeoutMs: number): Promise<void> {
    if (this.#connections.size === 0) return;
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.shutDown();
    }, timeoutMs);
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    clearTimeout(timer);
  }
}
