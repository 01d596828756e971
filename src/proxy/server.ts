/**
 * The running proxy. What lives as long as the process is here: listening sockets, counts, memories, ticket keys, and
 * what runs the connections. What a configuration decides is a ConfigSnapshot, which is replaced as a whole.
 */
import { runsWorkers } from '../config/restart.js';
import type { Config } from '../config/schema.js';
import { KeyRing } from '../credentials/keys.js';
import { backendAddressText } from '../net/backend-address.js';
import type { ConnectionEvent } from '../observe/connection-record.js';
import type { Log, LogChannel } from '../observe/log.js';
import { OUTCOMES } from '../observe/outcomes.js';
import { HandshakeLimiter } from '../policy/handshake-limiter.js';
import type { HealthReplies } from '../smtp/learnt-replies.js';
import { descriptorBudget, type DescriptorBudget } from '../system/descriptors.js';
import { SessionCache, type DhGroup, type TicketKey } from '../tls/index.js';
import { systemAddressBook } from './backend/address-book.js';
import { backendPlans } from './backend/backend-plan.js';
import { HealthChecks } from './backend/health.js';
import type { BackendPlan } from './backend/open-session.js';
import { refuseRelayRisks } from './backend/relay-risk.js';
import type { BackendTarget } from './backend/target.js';
import { trialKind, tryBackend } from './backend/try-backend.js';
import { CertificateWatch } from './certificate-watch.js';
import { readConfigFiles, type ConfigFiles } from './config-files.js';
import { ConfigSnapshot, wantsSmallDhGroup, type SnapshotInputs } from './config-snapshot.js';
import { InProcessRunner, type ConnectionRunner } from './connection-runner.js';
import { AdmissionControl } from './listener/admission.js';
import type { AdmittedConnection, ListenerPlan } from './listener/listener.js';
import { ListenerSet, type Listening } from './listener/listener-set.js';
import { localSessions } from './resumption/session-store.js';
import { SessionTickets } from './resumption/session-tickets.js';
import { SharedSessions } from './resumption/shared-sessions.js';
import { TicketKeySource } from './resumption/ticket-key-source.js';
import { SmallDhSearch } from './small-dh-search.js';
import { refuseMissingPrimitives } from './termination/required-primitives.js';
import { WorkerPool } from './workers/worker-pool.js';

export class ProxyServer {
  readonly #channel: LogChannel;
  readonly #log: Log;
  readonly #keys = new KeyRing();
  readonly #tickets = new SessionTickets();
  readonly #addresses = systemAddressBook();
  readonly #ticketKeys: TicketKeySource;
  readonly #admission: AdmissionControl;
  readonly #listeners: ListenerSet;
  readonly #certificates: CertificateWatch;
  readonly #health: HealthChecks;
  readonly #sessions: SharedSessions;
  readonly #smallDhSearch: SmallDhSearch;
  readonly #inheritedFds: readonly number[];
  #budget: DescriptorBudget | undefined;
  #runner: ConnectionRunner | undefined;
  #snapshot: ConfigSnapshot | undefined;
  #stopped = false;

  /** @param inheritedFds of sockets that are bound already, for the listeners of the same address */
  constructor(channel: LogChannel, inheritedFds: readonly number[]) {
    const { log } = channel;
    this.#channel = channel;
    this.#log = log;
    this.#inheritedFds = inheritedFds;
    const cache = new SessionCache(SESSION_CAPACITY, SESSION_LIFETIME_MS, () => performance.now());
    this.#sessions = new SharedSessions(log, localSessions(cache), SESSION_LIFETIME_MS);
    this.#ticketKeys = new TicketKeySource(log, (keys) => this.#useTicketKeys(keys));
    this.#admission = new AdmissionControl(log);
    this.#listeners = new ListenerSet(log, {
      admit: (client, config) => this.#admission.admit(client, config, this.#snapshot!),
      serve: (plan, client) => this.#serve(plan, client),
      refused: (plan, event) => this.#ended(plan, event),
      failed: ({ name }, { message }) => log('listener_error', { listener: name, error: message }),
    });
    this.#smallDhSearch = new SmallDhSearch(log, (group) => this.#useSmallDhGroup(group));
    this.#certificates = new CertificateWatch(log, () => Date.now());
    this.#health = new HealthChecks(
      log,
      (plan, target) => this.#tryBackend(plan, target),
      (state) => {
        this.#addresses.learn(state);
        this.#runner?.learnAddress(state);
      },
    );
  }

  /** @throws UnusableValueError, CredentialError */
  async start(config: Config): Promise<void> {
    this.#runner = this.#newRunner(config);
    try {
      await this.#listeners.adopt(this.#inheritedFds, config);
      await this.configure(config);
    } catch (error) {
      this.#listeners.close();
      throw error;
    }
  }

  /**
   * Makes a configuration that of every new connection. Listeners whose address stays keep their sockets, and live
   * connections keep what they began with.
   * A server that was stopped in the meantime discards it.
   * @throws UnusableValueError, CredentialError, with everything as it was before
   */
  async configure(config: Config): Promise<void> {
    await refuseRelayRisks(config);
    // Certificates cannot even be read where too much is missing.
    refuseMissingPrimitives(config, []);
    const listeners = await this.#listeners.prepare(config);
    let files: ConfigFiles;
    let snapshot: ConfigSnapshot;
    try {
      files = await readConfigFiles(config);
      snapshot = this.#snapshotOf(config, files);
    } catch (error) {
      this.#listeners.discard(listeners);
      throw error;
    }
    if (this.#stopped) {
      this.#listeners.discard(listeners);
      return;
    }
    // From here on nothing can fail.
    this.#ticketKeys.configure(files.ticketKeys);
    this.#sessions.configure(files.store);
    this.#listeners.apply(listeners);
    this.#snapshot = snapshot;
    this.#describe(snapshot.inputs);
    const used = this.#runner!.configure(snapshot);
    this.#countDescriptors(config);
    this.#listeners.open();
    await used;
    if (wantsSmallDhGroup(config) && this.#snapshot.inputs.smallDhGroup === undefined) {
      if (!this.#isStopped()) void this.#smallDhSearch.start(config.server.stateDirectory);
    }
  }

  /** A call, because it may have stopped since the compiler last looked. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  /** How many there are now. */
  get connections(): number {
    return this.#admission.total;
  }

  get listening(): Listening[] {
    return this.#listeners.listening;
  }

  /** Accepts no more clients, and gives connections the configured time to finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ticketKeys.close();
    this.#certificates.close();
    this.#health.close();
    this.#listeners.close();
    await this.#runner?.close(this.#snapshot?.config.limits.shutdownTimeout ?? 0);
    this.#sessions.close();
    this.#keys.close();
  }

  #newRunner(config: Config): ConnectionRunner {
    if (runsWorkers(config)) {
      return new WorkerPool({ channel: this.#channel, sessions: this.#sessions });
    }
    const handshakes = new HandshakeLimiter(() => performance.now());
    return new InProcessRunner({ keys: this.#keys, sessions: this.#sessions, handshakes });
  }

  #snapshotOf(config: Config, { credentials, trustedCas, networkFiles }: ConfigFiles): ConfigSnapshot {
    for (const { credential, key } of credentials) this.#keys.add(credential, key);
    const smallDhGroup = this.#snapshot?.inputs.smallDhGroup;
    const inputs = { config, credentials, trustedCas, networkFiles, smallDhGroup };
    return new ConfigSnapshot(inputs, this.#tickets, this.#addresses, this.#log);
  }

  /** Stays below the descriptor limit, so that clients get 421 and not a dropped connection. */
  #countDescriptors({ limits: { maxConnections } }: Config): void {
    // Measured once: later, connections that run would count as used.
    this.#budget ??= descriptorBudget();
    this.#listeners.limitTo(this.#budget);
    const { limit, connections } = this.#budget;
    const all = connections * this.#runner!.processes;
    this.#admission.limitTo(all);
    if (all < maxConnections) this.#log('descriptors_short', { limit, connections: all });
  }

  #describe({ config, credentials, trustedCas }: SnapshotInputs): void {
    const limits = Object.entries(config.limits).map(([key, value]) => [kebabCase(key), value]);
    this.#log('configuration', {
      limits: Object.fromEntries(limits) as Record<string, number>,
      backends: config.backends.flatMap(({ name, address }) =>
        address.map((one) => `${name} ${backendAddressText(one)}`),
      ),
    });
    this.#certificates.setCertificates(credentials);
    this.#health.configure(backendPlans(config, trustedCas, this.#log, this.#addresses));
  }

  async #tryBackend(plan: BackendPlan, target: BackendTarget): Promise<string | undefined> {
    const learn = (replies?: HealthReplies): void => {
      if (this.#health.isCurrent(plan)) this.#runner?.learn(plan.config.name, replies);
    };
    const kind = trialKind(plan.config, this.#snapshot!.config.listeners);
    const failure = await tryBackend(plan, target, kind, learn);
    if (failure !== undefined) learn();
    return failure;
  }

  #serve(plan: ListenerPlan, { channel, first, client, destination, admission }: AdmittedConnection): void {
    const { offerStarttls, release } = admission;
    const accepted = { listener: plan.config.name, client, destination, offerStarttls };
    this.#runner!.serve(channel, first, accepted, (event) => {
      release();
      this.#ended(plan, event);
    });
  }

  #ended({ config, limits }: ListenerPlan, event: ConnectionEvent): void {
    this.#admission.remember(event, config, limits);
    this.#log('connection_closed', event, OUTCOMES[event.outcome].level);
  }

  #useSmallDhGroup(smallDhGroup: DhGroup): void {
    if (this.#stopped) return;
    const inputs: SnapshotInputs = { ...this.#snapshot!.inputs, smallDhGroup };
    this.#snapshot = new ConfigSnapshot(inputs, this.#tickets, this.#addresses, this.#log);
    void this.#runner!.configure(this.#snapshot);
  }

  #useTicketKeys(keys: readonly TicketKey[]): void {
    this.#tickets.setKeys(keys);
    this.#sessions.useTicketKeys(keys);
    this.#runner?.useTicketKeys(keys);
  }
}

/** As the configuration file has it. */
function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Sessions kept for resumption by id; about 300 bytes each. */
const SESSION_CAPACITY = 20_000;
const SESSION_LIFETIME_MS = 60 * 60 * 1000;
