/**
 * Decides which clients are admitted: first the policy for their network, then the limits. It outlives configurations,
 * because counts must.
 */
import type { LimitsConfig, ListenerConfig, PolicyConfig } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import type { Failure, ConnectionEvent } from '../../observe/connection-record.js';
import { overLimit } from '../connection/ending.js';
import { ConnectionCount, type Group } from '../../policy/connection-count.js';
import { StarttlsSuppression, type SuppressionRule } from '../../policy/starttls-suppression.js';
import { SUBMISSION_PORT, type Endpoint } from '../../net/endpoint.js';
import type { OwnReply } from '../../smtp/replies.js';
import type { ConfigSnapshot } from '../config-snapshot.js';
import { unservableHello } from './failed-hello.js';

export type Admission =
  | { readonly admitted: false; readonly failure: Failure; readonly reply: OwnReply }
  | {
      readonly admitted: true;
      readonly offerStarttls: boolean;
      /** Call it once, when the connection has ended. */
      readonly release: () => void;
    };

export class AdmissionControl {
  readonly #log: Log;
  readonly #count = new ConnectionCount();
  #capacity = Infinity;
  readonly #suppression = new StarttlsSuppression(() => performance.now());

  constructor(log: Log) {
    this.#log = log;
  }

  /** Limits connections to what the system allows; open ones stay. */
  limitTo(connections: number): void {
    this.#capacity = connections;
  }

  /** Open connections. */
  get total(): number {
    return this.#count.total;
  }

  admit(client: Endpoint, listener: ListenerConfig, snapshot: ConfigSnapshot): Admission {
    const { limits } = snapshot.config;
    const policy = snapshot.policyFor(client);
    if (policy?.refuse === true) {
      return { admitted: false, failure: { outcome: 'policy_refused' }, reply: 'access_denied' };
    }
    if (this.#count.total >= this.#capacity) {
      return { admitted: false, failure: overLimit('open-files'), reply: 'out_of_descriptors' };
    }
    const acquired = this.#count.acquire(client.address, limits, groupOf(policy));
    if ('over' in acquired) {
      return { admitted: false, failure: overLimit(acquired.over), reply: 'too_many_connections' };
    }
    const suppressed =
      !isForLogins(listener) && this.#suppression.isSuppressed(client.address, suppressionRule(limits));
    return {
      admitted: true,
      offerStarttls: (policy?.offerStarttls ?? true) && !suppressed,
      release: acquired.release,
    };
  }

  /** Records from the end of a handshake whether its client can use TLS with this server. */
  remember(event: ConnectionEvent, listener: ListenerConfig, limits: LimitsConfig): void {
    const { client, tls, hello } = event;
    const { address } = client;
    const rule = suppressionRule(limits);
    if (tls !== undefined) {
      this.#suppression.recordSuccess(address, rule);
      return;
    }
    const counts = listener.mode === 'starttls' && !isForLogins(listener);
    const failed = counts ? unservableHello(event) : undefined;
    if (failed === undefined || !this.#suppression.recordFailure(address, failed, rule)) return;
    this.#log('starttls_suppressed', {
      address,
      failures: rule.after,
      fingerprint: hello!.fingerprint.hash,
      reason: event.reason ?? event.alert ?? event.outcome,
      minutes: rule.lifetimeMs / 60_000,
    });
  }
}

/** Made once for each entry, which may have very many networks. */
const groups = new WeakMap<PolicyConfig, Group>();

function groupOf(policy: PolicyConfig | undefined): Group | undefined {
  if (policy?.maxConnections === undefined) return undefined;
  const known = groups.get(policy);
  if (known !== undefined) return known;
  const { networks, networksFile = '', maxConnections } = policy;
  const group = { name: [...networks, networksFile].join(' '), maxConnections };
  groups.set(policy, group);
  return group;
}

function suppressionRule({ starttlsSuppressAfter, starttlsSuppressFor }: LimitsConfig): SuppressionRule {
  return { after: starttlsSuppressAfter, lifetimeMs: starttlsSuppressFor };
}

/** Clients that log in need TLS, so suppressing STARTTLS would not help them. */
function isForLogins({ address, auth }: ListenerConfig): boolean {
  return address.port === SUBMISSION_PORT || auth === 'strong-tls';
}
