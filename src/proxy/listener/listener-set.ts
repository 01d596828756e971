/** The listening sockets of the process. Those whose address stays in a new configuration stay open. */
import type { AddressInfo } from 'node:net';
import { orUnusable, UnusableValueError } from '../../config/config-error.js';
import type { Config, ListenerConfig } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import { assignSockets } from './inherited-sockets.js';
import { ListenError } from './listen-error.js';
import { Listener, type ListenAt, type ListenerHandler, type ListenerPlan } from './listener.js';
import { ProxyHeaders } from './proxy-header.js';
import { Refusals } from './refusals.js';

export interface Listening {
  readonly listener: ListenerConfig;
  readonly address: AddressInfo;
}

/** The sockets of one configuration, bound and not yet in use. */
export interface PreparedListeners {
  readonly plans: ReadonlyMap<Listener, ListenerPlan>;
  /** Those of them that no earlier configuration had. */
  readonly added: readonly Listener[];
}

export class ListenerSet {
  readonly #log: Log;
  readonly #handler: ListenerHandler;
  readonly #bounds = { refusals: new Refusals(), headers: new ProxyHeaders() };
  /** On the sockets of systemd, which stay as long as the process. */
  readonly #inherited: Listener[] = [];
  #listeners: ReadonlySet<Listener> = new Set();

  constructor(log: Log, handler: ListenerHandler) {
    this.#log = log;
    this.#handler = handler;
  }

  /** With the real ports. */
  get listening(): Listening[] {
    return [...this.#listeners].map(({ plan, address }) => ({ listener: plan.config, address }));
  }

  /** @param refused,awaitingHeader how many connections may be open that no other limit counts */
  limitTo({ refused, awaitingHeader }: { readonly refused: number; readonly awaitingHeader: number }): void {
    this.#bounds.refusals.limitTo(refused);
    this.#bounds.headers.limitTo(awaitingHeader);
  }

  /**
   * Listens on sockets that are bound already. Their addresses are known once they listen, so each gets the plan of
   * its own listener when a configuration is applied.
   * @throws UnusableValueError
   */
  async adopt(fds: readonly number[], config: Config): Promise<void> {
    const plan = listenerPlan(config, config.listeners[0]!);
    for (const fd of fds) this.#inherited.push(await this.#bind(0, plan, { fd }));
  }

  /**
   * Binds every address of a configuration that is not bound yet. `apply` or `discard` must follow.
   * @throws UnusableValueError, with everything as it was before
   */
  async prepare(config: Config): Promise<PreparedListeners> {
    const plans = new Map<Listener, ListenerPlan>();
    const added: Listener[] = [];
    const inherited = orUnusable('listener', undefined, 'address', () =>
      assignSockets(config.listeners, this.#inherited),
    );
    try {
      for (const [index, listener] of config.listeners.entries()) {
        const plan = listenerPlan(config, listener);
        const sockets = inherited.get(listener) ?? [];
        for (const socket of sockets) plans.set(socket, plan);
        if (sockets.length > 0) continue;
        const at = listenAddress(listener);
        const bound = [...this.#listeners].find((one) => one.isAt(at) && !plans.has(one));
        const next = bound ?? (await this.#bind(index, plan, at));
        if (bound === undefined) added.push(next);
        plans.set(next, plan);
      }
    } catch (error) {
      this.discard({ plans, added });
      throw error;
    }
    return { plans, added };
  }

  discard({ added }: PreparedListeners): void {
    for (const listener of added) listener.close();
  }

  /** Closes what the configuration does not have. What is new holds its clients back until `open`. */
  apply({ plans }: PreparedListeners): void {
    for (const listener of this.#listeners) {
      if (plans.has(listener)) continue;
      this.#logEnd(listener);
      listener.close();
    }
    for (const [listener, plan] of plans) this.#configure(listener, plan);
    this.#listeners = new Set(plans.keys());
  }

  open(): void {
    for (const listener of this.#listeners) listener.open();
  }

  /** Accepts no more clients. */
  close(): void {
    for (const listener of new Set([...this.#listeners, ...this.#inherited])) listener.close();
  }

  async #bind(index: number, plan: ListenerPlan, at: ListenAt): Promise<Listener> {
    const listener = new Listener(at, plan, this.#handler, this.#bounds);
    try {
      await listener.listen();
    } catch (error) {
      const problem = new ListenError(plan.config, error as NodeJS.ErrnoException);
      throw new UnusableValueError('listener', index, 'address', problem);
    }
    return listener;
  }

  #configure(listener: Listener, plan: ListenerPlan): void {
    const isNew = !this.#listeners.has(listener);
    const isOther = LOGGED_KEYS.some((key) => listener.plan.config[key] !== plan.config[key]);
    if (isOther && !isNew) this.#logEnd(listener);
    listener.configure(plan);
    if (isOther || isNew) this.#logStart(listener);
  }

  #logStart({ plan: { config }, address: { address, port } }: Listener): void {
    const { name: listener, mode, backend } = config;
    this.#log('listening', { listener, address, port, mode, backend });
  }

  #logEnd({ plan: { config }, address: { address, port } }: Listener): void {
    this.#log('listening_ended', { listener: config.name, address, port });
  }
}

function listenerPlan({ limits, server: { hostname } }: Config, config: ListenerConfig): ListenerPlan {
  return { config, limits, hostname };
}

/** Where the kernel chooses the port, the name tells one listener from the other. */
function listenAddress({ name, address }: ListenerConfig): ListenAt {
  return address.port === 0 ? { ...address, name } : address;
}

/** What the log has of a listener. */
const LOGGED_KEYS = ['name', 'mode', 'backend'] as const;
