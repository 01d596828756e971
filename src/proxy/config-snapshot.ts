/**
 * Everything that one configuration decides about a connection. It never changes: a reload makes another one for new
 * connections, and those that live keep theirs.
 */
import { passesTlsOn } from '../config/passthrough.js';
import type { BackendConfig, Config, ListenerConfig } from '../config/schema.js';
import type { Log } from '../observe/log.js';
import { PolicyTable, type NetworkFiles } from '../policy/networks.js';
import type { HealthReplies } from '../smtp/learnt-replies.js';
import type { LoadedCredential } from '../credentials/credentials.js';
import type { DhGroup } from '../tls/index.js';
import type { TlsProfile } from './termination/tls-acceptor.js';
import type { Endpoint } from '../net/endpoint.js';
import type { AddressBook } from './backend/address-book.js';
import { backendPlans } from './backend/backend-plan.js';
import type { BackendPlan } from './backend/open-session.js';
import type { ConnectionPlan } from './connection/plan.js';
import type { TicketSource } from './resumption/session-tickets.js';
import { TlsProfiles } from './termination/tls-profiles.js';
import type { TrustedCas } from './backend/trusted-cas.js';

/** What a snapshot is made from. */
export interface SnapshotInputs {
  readonly config: Config;
  readonly credentials: readonly LoadedCredential[];
  readonly trustedCas: TrustedCas;
  readonly networkFiles: NetworkFiles;
  /** There once it is found, where a profile in use wants it. */
  readonly smallDhGroup: DhGroup | undefined;
}

/** A client that was admitted. */
export interface AcceptedClient {
  /** The name of the listener it came to. */
  readonly listener: string;
  readonly client: Endpoint;
  readonly destination: Endpoint;
  readonly offerStarttls: boolean;
}

export class ConfigSnapshot {
  readonly inputs: SnapshotInputs;
  readonly #listeners: ReadonlyMap<string, ListenerConfig>;
  readonly #backends: ReadonlyMap<string, BackendPlan>;
  readonly #policies: PolicyTable<Config['policies'][number]>;
  readonly #profiles: TlsProfiles;
  /** Looked up for every connection, so by what it comes from and not by what it holds. */
  readonly #tls = new Map<ListenerConfig, Map<Config['policies'][number] | undefined, TlsProfile>>();
  readonly #log: Log;

  constructor(inputs: SnapshotInputs, tickets: TicketSource, addresses: AddressBook, log: Log) {
    const { config, credentials, trustedCas, networkFiles, smallDhGroup } = inputs;
    this.inputs = inputs;
    this.#log = log;
    this.#listeners = new Map(config.listeners.map((listener) => [listener.name, listener]));
    const plans = backendPlans(config, trustedCas, log, addresses);
    this.#backends = new Map(plans.map((plan) => [plan.config.name, plan]));
    this.#policies = new PolicyTable(config.policies, networkFiles);
    this.#profiles = new TlsProfiles({ credentials, tickets, smallDhGroup });
  }

  get config(): Config {
    return this.inputs.config;
  }

  /** The entry for a client's network, if there is one. */
  policyFor(client: Endpoint): Config['policies'][number] | undefined {
    return this.#policies.match(client.address);
  }

  /** What a health check got from a backend; undefined where it failed. */
  learn(backend: string, replies: HealthReplies | undefined): void {
    const learnt = this.#backends.get(backend)?.learnt;
    if (replies === undefined) learnt?.forget();
    else learnt?.healthChecked(replies, performance.now());
  }

  /** @throws Error for a listener that this configuration does not have */
  plan({ listener: name, client, destination, offerStarttls }: AcceptedClient): ConnectionPlan {
    const { limits, server } = this.config;
    const listener = this.#listeners.get(name);
    if (listener === undefined) throw new Error(`no listener ${JSON.stringify(name)} in this configuration`);
    const backend = this.#backends.get(listener.backend)!;
    return {
      listener,
      backend,
      limits,
      hostname: server.hostname,
      tls: this.#tlsFor(listener, backend.config, this.policyFor(client)),
      offerStarttls,
      client,
      destination,
      log: this.#log,
    };
  }

  #tlsFor(
    listener: ListenerConfig,
    backend: BackendConfig,
    policy: Config['policies'][number] | undefined,
  ): TlsProfile {
    const made = this.#tls.get(listener)?.get(policy);
    if (made !== undefined) return made;
    const settings = {
      ...this.config.tls,
      ...(policy?.profile !== undefined && { profile: policy.profile }),
      ...(policy?.sslv2Hello !== undefined && { sslv2Hello: policy.sslv2Hello }),
    };
    const profile = this.#profiles.profile(settings, modernOf(backend), listener.serverNames);
    const byPolicy = this.#tls.get(listener) ?? new Map<typeof policy, TlsProfile>();
    this.#tls.set(listener, byPolicy.set(policy, profile));
    return profile;
  }
}

/** Whether any client may get TLS that wants the 1024-bit group. */
export function wantsSmallDhGroup({ tls, policies }: Config): boolean {
  return tls.profile === 'ancient' || policies.some(({ profile }) => profile === 'ancient');
}

function modernOf({ modern, tls }: BackendConfig): TlsProfile['modern'] {
  return modern ?? (passesTlsOn(tls) ? 'passthrough' : 'terminate');
}
