/** The place of one connection among the handshakes that run at the same time. */
import type { LimitsConfig } from '../../config/schema.js';
import type { HandshakeLimiter } from '../../policy/handshake-limiter.js';
import type { LimitName } from '../../policy/limits.js';

export class HandshakeSlot {
  readonly #limiter: HandshakeLimiter;
  #done: (() => void) | undefined;

  constructor(limiter: HandshakeLimiter) {
    this.#limiter = limiter;
  }

  /** @returns the limit that allows no further handshake; undefined where this one is counted until `release` */
  take(address: string, limits: LimitsConfig): LimitName | undefined {
    const begun = this.#limiter.begin(address, limits);
    if ('over' in begun) return begun.over;
    this.#done = begun.done;
    return undefined;
  }

  release(): void {
    this.#done?.();
    this.#done = undefined;
  }
}
