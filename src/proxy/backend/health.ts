/**
 * Checks each backend at the start and at intervals, so that the log reports a backend that is down before a client
 * fails.
 */
import type { Log } from '../../observe/log.js';
import { backendAddressText } from '../../net/backend-address.js';
import { stateOf, type AddressState } from './address-book.js';
import type { BackendPlan } from './open-session.js';
import type { BackendTarget } from './target.js';

/** @returns why the backend is not ready for mail at this address; undefined if it is ready */
export type TryBackend = (plan: BackendPlan, target: BackendTarget) => Promise<string | undefined>;

/** Sends the state of an address to each process. */
export type TellState = (state: AddressState) => void;

interface Result {
  readonly target: BackendTarget;
  readonly failure: string | undefined;
}

export class HealthChecks {
  readonly #log: Log;
  readonly #tryBackend: TryBackend;
  readonly #tell: TellState;
  #timers: NodeJS.Timeout[] = [];
  /** Compared by identity, so that results of an earlier configuration are not reported. */
  #plans: readonly BackendPlan[] = [];

  constructor(log: Log, tryBackend: TryBackend, tell: TellState = () => undefined) {
    this.#log = log;
    this.#tryBackend = tryBackend;
    this.#tell = tell;
  }

  /** Replaces the backends to check. */
  configure(plans: readonly BackendPlan[]): void {
    this.close();
    this.#plans = plans;
    for (const plan of plans) {
      const { healthInterval } = plan.config;
      if (healthInterval === 0) continue;
      const check = this.#checkOf(plan);
      void check();
      this.#timers.push(setInterval(() => void check(), healthInterval).unref());
    }
  }

  /** Whether it is still checked: not one of an earlier configuration. */
  isCurrent(plan: BackendPlan): boolean {
    return this.#plans.includes(plan);
  }

  close(): void {
    this.#plans = [];
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** One check at a time: no new one begins while a slow backend has not answered. */
  #checkOf(plan: BackendPlan): () => Promise<void> {
    let isRunning = false;
    return async () => {
      if (isRunning) return;
      isRunning = true;
      const targets = await plan.addresses.targets(plan.config);
      const results = await Promise.all(
        targets.map(async (target) => ({ target, failure: await this.#tryBackend(plan, target) })),
      );
      isRunning = false;
      if (this.isCurrent(plan)) this.#report(plan, results);
    };
  }

  /** A host name with several addresses is up where one of them is. */
  #report({ config }: BackendPlan, results: readonly Result[]): void {
    for (const { target, failure } of results) this.#tell(stateOf(target, failure !== undefined));
    for (const configured of config.address) {
      const own = results.filter(({ target }) => target.configured === configured);
      const isUp = own.some(({ failure }) => failure === undefined);
      const address = backendAddressText(configured);
      this.#log('backend_health', {
        backend: config.name,
        address,
        failure: isUp ? undefined : own[0]?.failure,
      });
    }
  }
}
