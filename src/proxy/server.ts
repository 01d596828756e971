/**
 * The running proxy. What lives as long as the process is here: listening sockets, counts, memories, ticket keys, and
 * the host of the connections. What a configuration decides is a ConfigSnapshot, which is replaced as a whole.
 */
import type { AddressInfo } from 'node:net';
import { orAllUnusable, orUnusable, UnusableValueError } from '../config/config-error.js';
import { runsWorkers } from '../config/restart.js';
import type { Config, ListenerConfig } from '../config/schema.js';
import type { Log, LogChannel } from '../observe/log.js';
import { OUTCOMES } from '../observe/outcomes.js';
import type { ConnectionEvent } from '../observe/connection-record.js';
import { HandshakeLimiter } from '../policy/handshake-limiter.js';
import { loadCredentials } from '../credentials/credentials.js';
import { descriptorBudget, type DescriptorBudget } from '../system/descriptors.js';
import { KeyRing } from '../credentials/keys.js';
import { loadSmallDhGroup } from '../credentials/small-dh-group.js';
import type { TicketKeyFile } from '../credentials/ticket-key-file.js';
import { SessionCache, type DhGroup, type TicketKey } from '../tls/index.js';
import { AdmissionControl } from './listener/admission.js';
import { CertificateWatch } from './certificate-watch.js';
import { InProcessRunner, type ConnectionRunner } from './connection-runner.js';
import { assignSockets } from './listener/inherited-sockets.js';
import { ListenError } from './listener/listen-error.js';
import {
  Listener,
  type AdmittedConnection,
  type ListenAt,
  type ListenerPlan,
  type SharedBounds,
} from './listener/listener.js';
import { ProxyHeaders } from './listener/proxy-header.js';
import { Refusals } from './listener/refusals.js';
import { refuseMissingPrimitives } from './termination/required-primitives.js';
import { refuseRelayRisks } from './backend/relay-risk.js';
import { ConfigSnapshot, wantsSmallDhGroup, type SnapshotInputs } from './config-snapshot.js';
import { localSessions } from './resumption/session-store.js';
import { SessionTickets } from './resumption/session-tickets.js';
import { SharedSessions, storeSettings, type StoreSettings } from './resumption/shared-sessions.js';
import { readTicketKeys, TicketKeySource } from './resumption/ticket-key-source.js';
import { backendPlans } from './backend/backend-plan.js';
import { HealthChecks } from './backend/health.js';
import type { BackendPlan } from './backend/open-session.js';
import { tryBackend } from './backend/try-backend.js';
import { readTrustedCas } from './backend/trusted-cas.js';
import { WorkerPool } from './workers/worker-pool.js';

export interface Listening {
  readonly listener: ListenerConfig;
  readonly address: AddressInfo;
}

export class ProxyServer {
  readonly #channel: LogChannel;
  readonly #log: Log;
  readonly #keys = new KeyRing();
  readonly #tickets = new SessionTickets();
  readonly #ticketKeys: TicketKeySource;
  readonly #desk: AdmissionControl;
  readonly #certificates: CertificateWatch;
  readonly #health: HealthChecks;
  readonly #sessions: SharedSessions;
  readonly #bounds: SharedBounds = { refusals: new Refusals(), headers: new ProxyHeaders() };
  #budget: DescriptorBudget | undefined;
  #host: ConnectionRunner | undefined;
  readonly #inheritedFds: readonly number[];
  /** On the sockets of systemd, which stay as long as the process. */
  readonly #inherited: Listener[] = [];
  #listeners: ReadonlySet<Listener> = new Set();
  #runtime: ConfigSnapshot | undefined;

  /** @param inheritedFds of sockets that are bound already, for the listeners of the same address */
  constructor(channel: LogChannel, inheritedFds: readonly number[]) {
    const { log } = channel;
    this.#channel = channel;
    this.#log = log;
    this.#inheritedFds = inheritedFds;
    const cache = new SessionCache(SESSION_CAPACITY, SESSION_LIFETIME, () => performance.now());
    this.#sessions = new SharedSessions(log, localSessions(cache), SESSION_LIFETIME);
    this.#ticketKeys = new TicketKeySource(log, (keys) => this.#useTicketKeys(keys));
    this.#desk = new AdmissionControl(log);
    this.#certificates = new CertificateWatch(log, () => Date.now());
    this.#health = new HealthChecks(log, (plan) => tryBackend(plan, this.#isTlsFirst(plan)));
  }

  /** @throws UnusableValueError, CredentialError */
  async start(config: Config): Promise<void> {
    this.#host = this.#newHost(config);
    try {
      await this.#adoptSockets(config);
      await this.use(config);
    } catch (error) {
      for (const listener of this.#inherited) listener.close();
      throw error;
    }
  }

  /**
   * Makes a configuration that of every new connection. Listeners whose address stays keep their sockets, and live
   * connections keep what they began with.
   * @throws UnusableValueError, CredentialError, with everything as it was before
   */
  async use(config: Config): Promise<void> {
    await refuseRelayRisks(config);
    // Certificates cannot even be read where too much is missing.
    refuseMissingPrimitives(config, []);
    const listeners = new Map<Listener, ListenerPlan>();
    const added: Listener[] = [];
    let ticketKeys: TicketKeyFile | undefined;
    let store: StoreSettings | undefined;
    let runtime: ConfigSnapshot;
    try {
      const inherited = orUnusable('listener', undefined, 'address', () =>
        assignSockets(config.listeners, this.#inherited),
      );
      for (const [index, listener] of config.listeners.entries()) {
        const plan = listenerPlan(config, listener);
        const sockets = inherited.get(listener) ?? [];
        for (const socket of sockets) listeners.set(socket, plan);
        if (sockets.length > 0) continue;
        const at = listenAddress(listener);
        const bound = [...this.#listeners].find((one) => one.isAt(at) && !listeners.has(one));
        const next = bound ?? (await this.#bind(index, plan, at));
        if (bound === undefined) added.push(next);
        listeners.set(next, plan);
      }
      const [keys, settings, credentials, trustedCas] = await orAllUnusable(
        () => readTicketKeys(config),
        () => storeSettings(config),
        () => loadCredentials(config),
        () => readTrustedCas(config),
      );
      ticketKeys = keys;
      store = settings;
      refuseMissingPrimitives(config, credentials);
      for (const { credential, key } of credentials) this.#keys.add(credential, key);
      const smallDhGroup = this.#runtime?.blueprint.smallDhGroup;
      const blueprint = { config, credentials, trustedCas, smallDhGroup };
      runtime = new ConfigSnapshot(blueprint, this.#tickets, this.#log);
    } catch (error) {
      for (const listener of added) listener.close();
      throw error;
    }
    this.#ticketKeys.use(ticketKeys);
    this.#sessions.use(store);
    await this.#change(runtime, listeners);
  }

  /** How many there are now. */
  get connections(): number {
    return this.#desk.total;
  }

  /** Where it listens, with the real ports. */
  get listening(): Listening[] {
    return [...this.#listeners].map(({ plan, address }) => ({ listener: plan.config, address }));
  }

  /** Accepts nobody any more, and gives those who are there the configured time to finish. */
  async stop(): Promise<void> {
    this.#ticketKeys.close();
    this.#certificates.close();
    this.#health.close();
    for (const listener of this.#listeners) listener.close();
    await this.#host?.close(this.#runtime?.config.limits.shutdownTimeout ?? 0);
    this.#sessions.close();
    this.#keys.close();
  }

  #newHost(config: Config): ConnectionRunner {
    if (runsWorkers(config)) {
      return new WorkerPool({ channel: this.#channel, sessions: this.#sessions });
    }
    const handshakes = new HandshakeLimiter(() => performance.now());
    return new InProcessRunner({ keys: this.#keys, sessions: this.#sessions, handshakes });
  }

  /** Only the system knows their addresses, so each gets the plan of its own listener later. */
  async #adoptSockets(config: Config): Promise<void> {
    const plan = listenerPlan(config, config.listeners[0]!);
    for (const fd of this.#inheritedFds) this.#inherited.push(await this.#bind(0, plan, { fd }));
  }

  async #bind(index: number, plan: ListenerPlan, at: ListenAt): Promise<Listener> {
    const listener: Listener = new Listener(
      at,
      plan,
      {
        admit: (client) => this.#desk.admit(client, listener.plan.config, this.#runtime!),
        serve: (current, client) => this.#serve(current, client),
        refused: (event) => this.#ended(event, plan),
        failed: ({ name }, { message }) => this.#log('listener_error', { listener: name, error: message }),
      },
      this.#bounds,
    );
    try {
      await listener.listen();
    } catch (error) {
      const problem = new ListenError(plan.config, error as NodeJS.ErrnoException);
      throw new UnusableValueError('listener', index, 'address', problem);
    }
    return listener;
  }

  /** From here on nothing can fail. */
  async #change(runtime: ConfigSnapshot, listeners: ReadonlyMap<Listener, ListenerPlan>): Promise<void> {
    for (const listener of this.#listeners) if (!listeners.has(listener)) this.#closeListener(listener);
    for (const [listener, plan] of listeners) this.#useListener(listener, plan);
    this.#listeners = new Set(listeners.keys());
    this.#runtime = runtime;
    this.#describe(runtime.blueprint);
    const used = this.#host!.use(runtime);
    this.#countDescriptors(runtime.config);
    for (const listener of this.#listeners) listener.open();
    await used;
    if (wantsSmallDhGroup(runtime.config) && runtime.blueprint.smallDhGroup === undefined)
      this.#findSmallDhGroup();
  }

  /** Stays below the descriptor limit, so that clients get 421 and not a dropped connection. */
  #countDescriptors({ limits: { maxConnections } }: Config): void {
    // Measured once: later, connections that run would count as used.
    this.#budget ??= descriptorBudget();
    const { limit, connections, refused, awaitingHeader } = this.#budget;
    this.#bounds.refusals.limitTo(refused);
    this.#bounds.headers.limitTo(awaitingHeader);
    const all = connections * this.#host!.processes;
    this.#desk.limitTo(all);
    if (all < maxConnections) this.#log('descriptors_short', { limit, connections: all });
  }

  #tellOf({ plan: { config }, address: { address, port } }: Listener): void {
    const { name: listener, mode, backend } = config;
    this.#log('listening', { listener, address, port, mode, backend });
  }

  #useListener(listener: Listener, plan: ListenerPlan): void {
    const isNew = !this.#listeners.has(listener);
    const isOther = LISTENER_INFO.some((key) => listener.plan.config[key] !== plan.config[key]);
    if (isOther && !isNew) this.#tellOfEnd(listener);
    listener.use(plan);
    if (isOther || isNew) this.#tellOf(listener);
  }

  #tellOfEnd({ plan: { config }, address: { address, port } }: Listener): void {
    this.#log('listening_ended', { listener: config.name, address, port });
  }

  #closeListener(listener: Listener): void {
    this.#tellOfEnd(listener);
    listener.close();
  }

  #describe({ config, credentials, trustedCas }: SnapshotInputs): void {
    const limits = Object.entries(config.limits).map(([key, value]) => [kebabCase(key), value]);
    this.#log('configuration', { limits: Object.fromEntries(limits) as Record<string, number> });
    this.#certificates.use(credentials);
    this.#health.configure(backendPlans(config, trustedCas, this.#log));
  }

  /** Where TLS comes first on the way to this backend. */
  #isTlsFirst({ config: { name, tls } }: BackendPlan): boolean {
    if (tls !== 'bridge') return tls === 'implicit';
    return [...this.#listeners].every(
      ({ plan: { config } }) => config.backend !== name || config.mode === 'implicit',
    );
  }

  #serve(plan: ListenerPlan, { channel, first, client, destination, admission }: AdmittedConnection): void {
    const { offerStarttls, release } = admission;
    const arrival = { listener: plan.config.name, client, destination, offerStarttls };
    this.#host!.serve(channel, first, arrival, (event) => {
      release();
      this.#ended(event, plan);
    });
  }

  #ended(event: ConnectionEvent, { config, limits }: ListenerPlan): void {
    this.#desk.remember(event, config, limits);
    this.#log('connection_closed', event, OUTCOMES[event.outcome].level);
  }

  /** Takes seconds the first time; until then DHE has its 2048-bit group only. */
  #findSmallDhGroup(): void {
    loadSmallDhGroup(this.#runtime!.config.server.stateDirectory).then(
      (group) => this.#useSmallDhGroup(group),
      (error: unknown) => this.#log('internal_error', { error: String(error) }),
    );
  }

  #useSmallDhGroup(smallDhGroup: DhGroup): void {
    const blueprint: SnapshotInputs = { ...this.#runtime!.blueprint, smallDhGroup };
    this.#runtime = new ConfigSnapshot(blueprint, this.#tickets, this.#log);
    void this.#host!.use(this.#runtime);
  }

  #useTicketKeys(keys: readonly TicketKey[]): void {
    this.#tickets.use(keys);
    this.#sessions.useTicketKeys(keys);
    this.#host?.useTicketKeys(keys);
  }
}

/** As the configuration file has it. */
function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function listenerPlan({ limits, server: { hostname } }: Config, config: ListenerConfig): ListenerPlan {
  return { config, limits, hostname };
}

/** Where the kernel chooses the port, the name tells one listener from the other. */
function listenAddress({ name, address }: ListenerConfig): ListenAt {
  return address.port === 0 ? { ...address, name } : address;
}

/** What is told of a listener. */
const LISTENER_INFO = ['name', 'mode', 'backend'] as const;
/** Sessions kept for resumption by id; about 300 bytes each. */
const SESSION_CAPACITY = 20_000;
/** Milliseconds. */
const SESSION_LIFETIME = 60 * 60 * 1000;
