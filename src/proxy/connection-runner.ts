/** Who runs the connections of clients that were let in: this process, or others (see worker-pool.ts). */
import { setDefaultHighWaterMark } from 'node:stream';
import type { ConnectionEvent } from '../observe/connection-record.js';
import type { SocketChannel } from './transport/socket-channel.js';
import { ProxiedConnection } from './connection/connection.js';
import type { ConnectionServices } from './connection/plan.js';
import { LiveSet } from './live-set.js';
import type { AcceptedClient, ConfigSnapshot } from './config-snapshot.js';

export interface ConnectionRunner {
  /** How many run connections. */
  readonly processes: number;
  /** For every connection from now on; resolves when they would get it. */
  use(runtime: ConfigSnapshot): Promise<void>;
  /**
   * @param first what the client sent so far
   * @param ended called once, when the connection is over
   */
  serve(
    channel: SocketChannel,
    first: Buffer,
    arrival: AcceptedClient,
    ended: (event: ConnectionEvent) => void,
  ): void;
  /** The newest first; see TicketKeys. */
  useTicketKeys(keys: readonly Buffer[]): void;
  /**
   * Resolves when the last connection has ended; nobody comes in any more.
   * @param patience milliseconds that connections get to finish by themselves, before they are told to
   */
  close(patience: number): Promise<void>;
}

/** The connections of this process. */
export class InProcessRunner implements ConnectionRunner {
  readonly processes = 1;
  readonly #services: ConnectionServices;
  readonly #connections = new LiveSet<ProxiedConnection>();
  #runtime: ConfigSnapshot | undefined;
  #drained: (() => void) | undefined;

  constructor(services: ConnectionServices) {
    this.#services = services;
  }

  use(runtime: ConfigSnapshot): Promise<void> {
    this.#runtime = runtime;
    // For all sockets from now on, as those that come from another process can be given no options of their own.
    setDefaultHighWaterMark(false, runtime.config.limits.maxBufferedBytes);
    return Promise.resolve();
  }

  useTicketKeys(): void {
    // Whoever makes this host's runtimes has given them the keys' holder.
  }

  serve(
    channel: SocketChannel,
    first: Buffer,
    arrival: AcceptedClient,
    ended: (event: ConnectionEvent) => void,
  ): void {
    if (first.length > 0) channel.unread(first);
    const plan = this.#runtime!.plan(arrival);
    const connection = new ProxiedConnection(plan, channel, this.#services, (event) => {
      leave();
      ended(event);
      if (this.#connections.size === 0) this.#drained?.();
    });
    const leave = this.#connections.enter(connection);
    connection.start();
  }

  async close(patience: number): Promise<void> {
    if (this.#connections.size === 0) return;
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.shutDown();
    }, patience);
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    clearTimeout(timer);
  }
}
