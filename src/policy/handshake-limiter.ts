/** Limits how many TLS handshakes run at once and begin per second: nothing else that a client can ask for costs as much. */
import { limitKey } from '../net/ip-address.js';
import type { LimitName } from './limits.js';
import { RateLimiter } from './rate-limiter.js';

export interface HandshakeLimits {
  readonly maxHandshakes: number;
  /** 0 for no limit. */
  readonly handshakesPerSecond: number;
  readonly handshakesPerSecondPerAddress: number;
}

export class HandshakeLimiter {
  readonly #inTotal: RateLimiter;
  readonly #byAddress: RateLimiter;
  /** The part of the limits that this process may use. */
  #share = 1;
  #running = 0;

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#inTotal = new RateLimiter(now);
    this.#byAddress = new RateLimiter(now);
  }

  /** @param processes that share the limits */
  shareAmong(processes: number): void {
    this.#share = 1 / processes;
  }

  /** @returns the limit that is reached, or a function to call once when the handshake is over */
  begin(address: string, limits: HandshakeLimits): { over: LimitName } | { done: () => void } {
    const { maxHandshakes, handshakesPerSecond, handshakesPerSecondPerAddress } = limits;
    if (this.#running >= Math.ceil(maxHandshakes * this.#share)) return { over: 'max-handshakes' };
    // The address first: a client over its own limit takes nothing from the total.
    if (!this.#byAddress.take(limitKey(address), handshakesPerSecondPerAddress * this.#share)) {
      return { over: 'handshakes-per-second-per-address' };
    }
    if (!this.#inTotal.take('', handshakesPerSecond * this.#share)) return { over: 'handshakes-per-second' };
    this.#running += 1;
    return {
      done: () => {
        this.#running -= 1;
      },
    };
  }
}
