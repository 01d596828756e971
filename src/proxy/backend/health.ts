/**
 * Checks each backend at the start and at intervals, so that a backend that is down is reported before a client finds
 * out.
 */
import type { Log } from '../../observe/log.js';
import type { BackendPlan } from './open-session.js';

/** @returns why the backend is not ready for mail; undefined if it is ready */
export type TryBackend = (plan: BackendPlan) => Promise<string | undefined>;

export class HealthChecks {
  readonly #log: Log;
  readonly #tryBackend: TryBackend;
  #timers: NodeJS.Timeout[] = [];
  /** Compared by identity, so that results of an earlier configuration are not reported. */
  #plans: readonly BackendPlan[] = [];

  constructor(log: Log, tryBackend: TryBackend) {
    this.#log = log;
    this.#tryBackend = tryBackend;
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
      const failure = await this.#tryBackend(plan);
      isRunning = false;
      if (this.#plans.includes(plan)) this.#log('backend_health', { backend: plan.config.name, failure });
    };
  }
}
