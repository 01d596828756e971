/** The running proxy: listeners, what they share, and how it starts and stops. */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { BackendConfig, Config, ListenerConfig } from '../config/schema.js';
import type { Log } from '../observe/log.js';
import { OUTCOMES } from '../observe/outcomes.js';
import type { SessionEvent } from '../observe/session-record.js';
import { FailureMemory } from '../policy/failure-memory.js';
import { ConnectionCount } from '../policy/connection-count.js';
import { PolicyTable } from '../policy/networks.js';
import { loadCredential, selfSignedCredential, type LoadedCredential } from '../system/credentials.js';
import { KeyRing } from '../system/keys.js';
import { loadSmallDhGroup } from '../system/small-dh-group.js';
import { TlsProfiles } from './tls-profiles.js';
import { SessionCache, TICKET_KEY_LENGTH, TicketKeys, type DhGroup } from '../tls/index.js';
import type { TlsProfile } from './accept-tls.js';
import type { Endpoint } from './backend.js';
import type { BackendPlan } from './backend-session.js';
import { BackendTls } from './backend-tls.js';
import type { ConnectionPlan } from './connection.js';
import { Listener } from './listener.js';

export interface Listening {
  readonly listener: ListenerConfig;
  readonly address: AddressInfo;
}

export class ProxyServer {
  readonly #config: Config;
  readonly #log: Log;
  readonly #keys = new KeyRing();
  readonly #sessions = new SessionCache(SESSION_CAPACITY, SESSION_LIFETIME, () => performance.now());
  readonly #tickets = new TicketKeys(TICKET_LIFETIME, () => Math.floor(Date.now() / 1000), randomBytes);
  readonly #count = new ConnectionCount();
  readonly #policies: PolicyTable<Config['policies'][number]>;
  readonly #backends: ReadonlyMap<string, BackendPlan>;
  readonly #failures: FailureMemory;
  readonly #listeners: Listener[] = [];
  readonly #credentials: readonly LoadedCredential[];
  #ticketKeys: Buffer[] = [];
  #rotation: NodeJS.Timeout | undefined;
  #profiles: TlsProfiles;

  /** @throws CredentialError */
  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#policies = new PolicyTable(config.policies);
    this.#backends = new Map(
      config.backends.map((backend) => [backend.name, backendPlan(backend, config.server.hostname)]),
    );
    this.#failures = new FailureMemory({
      after: config.limits.hopelessAfter,
      lifetime: config.limits.hopelessFor,
      now: () => performance.now(),
    });
    this.#credentials =
      config.certificates.length > 0
        ? config.certificates.map(loadCredential)
        : [selfSignedCredential(config.server.stateDirectory, config.server.hostname)];
    for (const { credential, key } of this.#credentials) this.#keys.add(credential, key);
    this.#profiles = this.#makeProfiles(undefined);
    this.#rotateTicketKeys();
  }

  /** @throws the first listener's error, with everything closed again */
  async start(): Promise<Listening[]> {
    this.#rotation = setInterval(() => this.#rotateTicketKeys(), TICKET_KEY_LIFETIME);
    this.#rotation.unref();
    if (this.#usesAncientProfile()) this.#wantSmallDhGroup();
    const listening: Listening[] = [];
    try {
      for (const config of this.#config.listeners) {
        const listener = new Listener(config, this.#listenerServices());
        const address = await listener.listen();
        this.#listeners.push(listener);
        listening.push({ listener: config, address });
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    return listening;
  }

  /** Accepts nobody any more, and gives those who are there the configured time to finish. */
  async stop(): Promise<void> {
    clearInterval(this.#rotation);
    const closed = Promise.all(this.#listeners.map((listener) => listener.close()));
    const timer = setTimeout(() => {
      for (const listener of this.#listeners) listener.abortAll({ outcome: 'shutdown' });
    }, this.#config.limits.shutdownTimeout);
    await closed;
    clearTimeout(timer);
    this.#keys.close();
  }

  #listenerServices(): ConstructorParameters<typeof Listener>[1] {
    return {
      keys: this.#keys,
      sessions: this.#sessions,
      limits: this.#config.limits,
      hostname: this.#config.server.hostname,
      count: this.#count,
      plan: (listener, client, destination) => this.#plan(listener, client, destination),
      ended: (event) => {
        this.#remember(event);
        this.#logSession(event);
      },
      failed: (listener, error) =>
        this.#log('listener_error', { listener: listener.name, error: error.message }),
    };
  }

  #plan(listener: ListenerConfig, client: Endpoint, destination: Endpoint): ConnectionPlan | undefined {
    const { tls, limits, server } = this.#config;
    const policy = this.#policies.match(client.address);
    if (policy?.refuse === true) return undefined;
    const backend = this.#backends.get(listener.backend)!;
    const settings = {
      ...tls,
      ...(policy?.profile !== undefined && { profile: policy.profile }),
      ...(policy?.sslv2Hello !== undefined && { sslv2Hello: policy.sslv2Hello }),
    };
    return {
      listener,
      backend,
      limits,
      hostname: server.hostname,
      tls: this.#profiles.profile(settings, modernOf(backend.config)),
      offerStarttls: (policy?.offerStarttls ?? true) && !this.#failures.isHopeless(client.address),
      client,
      destination,
    };
  }

  #logSession(event: SessionEvent): void {
    this.#log('session', { ...event }, OUTCOMES[event.outcome].level);
  }

  /** Only what a handshake says counts; that a backend was down does not. */
  #remember({ client: { address }, tls, hello, outcome, listener }: SessionEvent): void {
    const mode = this.#config.listeners.find(({ name }) => name === listener)?.mode;
    if (tls !== undefined) this.#failures.succeeded(address);
    else if (
      mode === 'starttls' &&
      (hello !== undefined || outcome === 'not_tls') &&
      outcome !== 'shutdown'
    ) {
      if (this.#failures.failed(address)) {
        const { hopelessAfter, hopelessFor } = this.#config.limits;
        this.#log('hopeless_client', { address, failures: hopelessAfter, minutes: hopelessFor / 60_000 });
      }
    }
  }

  #makeProfiles(smallDhGroup: DhGroup | undefined): TlsProfiles {
    return new TlsProfiles({ credentials: this.#credentials, tickets: this.#tickets, smallDhGroup });
  }

  #usesAncientProfile(): boolean {
    const { tls, policies } = this.#config;
    return tls.profile === 'ancient' || policies.some(({ profile }) => profile === 'ancient');
  }

  /** Takes seconds the first time; until then DHE has its 2048-bit group only. */
  #wantSmallDhGroup(): void {
    loadSmallDhGroup(this.#config.server.stateDirectory).then(
      (group) => {
        this.#profiles = this.#makeProfiles(group);
      },
      (error: unknown) => this.#log('internal_error', { error: String(error) }),
    );
  }

  /** The newest key protects; the two before it still open what they protected (RFC 5077, 5.5). */
  #rotateTicketKeys(): void {
    this.#ticketKeys = [randomBytes(TICKET_KEY_LENGTH), ...this.#ticketKeys].slice(0, TICKET_KEYS);
    this.#tickets.use(this.#ticketKeys);
  }
}

function backendPlan(config: BackendConfig, hostname: string): BackendPlan {
  return { config, hostname, tls: config.tls === 'none' ? undefined : new BackendTls(config) };
}

function modernOf({ modern, tls }: BackendConfig): TlsProfile['modern'] {
  return modern ?? (tls === 'bridge' ? 'passthrough' : 'terminate');
}

/** Sessions kept for resumption by id; about 300 bytes each. */
const SESSION_CAPACITY = 20_000;
/** Milliseconds. */
const SESSION_LIFETIME = 60 * 60 * 1000;
/** Seconds: as long as the oldest key that still opens tickets lives. */
const TICKET_LIFETIME = 24 * 60 * 60;
/** Milliseconds a key protects new tickets. */
const TICKET_KEY_LIFETIME = 12 * 60 * 60 * 1000;
const TICKET_KEYS = 3;
