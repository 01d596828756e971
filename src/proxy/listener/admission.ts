/** Who may come in: the policy for the client's network first, then the limits. Outlives configurations, as counts must. */
import type { LimitsConfig, ListenerConfig, PolicyConfig } from '../../config/schema.js';
import { sentence } from '../../observe/explain.js';
import type { Log } from '../../observe/log.js';
import type { Failure, ConnectionEvent } from '../../observe/connection-record.js';
import { ConnectionCount, type Group } from '../../policy/connection-count.js';
import { LIMITS, type LimitName } from '../../policy/limits.js';
import { FailureMemory } from '../../policy/failure-memory.js';
import type { Endpoint } from '../../net/endpoint.js';
import type { ConfigSnapshot } from '../config-snapshot.js';

export type Admission =
  | { readonly admitted: false; readonly failure: Failure; readonly reply: string }
  | {
      readonly admitted: true;
      readonly offerStarttls: boolean;
      /** To be called once, when the connection has ended. */
      readonly leave: () => void;
    };

export class AdmissionControl {
  readonly #log: Log;
  readonly #count = new ConnectionCount();
  #capacity = Infinity;
  readonly #failures = new FailureMemory(() => performance.now());

  constructor(log: Log) {
    this.#log = log;
  }

  /** Connections that there are resources for, whatever is configured; those that run stay. */
  limitTo(connections: number): void {
    this.#capacity = connections;
  }

  /** Connections there are now. */
  get total(): number {
    return this.#count.total;
  }

  admit(client: Endpoint, runtime: ConfigSnapshot): Admission {
    const { limits } = runtime.config;
    const policy = runtime.policyFor(client);
    if (policy?.refuse === true) {
      return { admitted: false, failure: { outcome: 'policy_refused' }, reply: '554 5.7.1 access denied' };
    }
    if (this.#count.total >= this.#capacity) {
      return { admitted: false, failure: overLimit('open-files'), reply: '421 4.3.1 too many connections' };
    }
    const entered = this.#count.enter(client.address, limits, groupOf(policy));
    if ('over' in entered) {
      return { admitted: false, failure: overLimit(entered.over), reply: '421 4.7.0 too many connections' };
    }
    const hopeless = this.#failures.isHopeless(client.address, hopelessness(limits));
    return {
      admitted: true,
      offerStarttls: (policy?.offerStarttls ?? true) && !hopeless,
      leave: entered.leave,
    };
  }

  /** Only what a handshake says counts; that a backend was down does not. */
  remember(event: ConnectionEvent, mode: ListenerConfig['mode'], limits: LimitsConfig): void {
    const { client, tls, hello, outcome } = event;
    const { address } = client;
    if (tls !== undefined) {
      this.#failures.succeeded(address);
      return;
    }
    const failed = mode === 'starttls' && (hello !== undefined || outcome === 'not_tls');
    if (wasCancelled(event) || SAY_NOTHING.has(outcome)) return;
    if (failed && this.#failures.failed(address, hopelessness(limits))) {
      const { hopelessAfter, hopelessFor } = limits;
      this.#log('hopeless_client', { address, failures: hopelessAfter, minutes: hopelessFor / 60_000 });
    }
  }
}

/** How a handshake ends, ours or one that is passed through, when it says nothing of the client. */
const SAY_NOTHING: ReadonlySet<ConnectionEvent['outcome']> = new Set([
  'backend_failed',
  'backend_timeout',
  'shutdown',
]);

/** RFC 5246, 7.2.2: user_canceled has nothing to do with the protocol; `oldhello probe` takes its leave with it. */
function wasCancelled({ alert, reason }: ConnectionEvent): boolean {
  return alert === 'user_canceled' || reason === 'ERR_SSL_TLSV1_ALERT_USER_CANCELLED';
}

/** What the log says of a client that a limit turned away. */
export function overLimit(limit: LimitName): Failure {
  return { outcome: 'limit_exceeded', reason: limit, explanation: sentence(LIMITS[limit]) };
}

function groupOf(policy: PolicyConfig | undefined): Group | undefined {
  if (policy?.maxConnections === undefined) return undefined;
  return { name: policy.networks.join(' '), maxConnections: policy.maxConnections };
}

function hopelessness({ hopelessAfter, hopelessFor }: LimitsConfig): { after: number; lifetime: number } {
  return { after: hopelessAfter, lifetime: hopelessFor };
}
