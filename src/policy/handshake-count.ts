/** How many TLS handshakes run, and how fast they come: a handshake costs more than anything else a client can ask for. */
import { limitKey } from '../net/ip-address.js';
import type { LimitName } from './limits.js';
import { RateLimiter } from './rate-limiter.js';

export interface HandshakeLimits {
  readonly maxHandshakes: number;
  /** 0 for no limit. */
  readonly handshakesPerSecond: number;
  readonly handshakesPerSecondPerAddress: number;
}

export class HandshakeCount {
  readonly #inTotal: RateLimiter;
  readonly #byAddress: RateLimiter;
  /** Which part of the limits is for this process; the others have the rest. */
  #share = 1;
  #running = 0;

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#inTotal = new RateLimiter(now);
    this.#byAddress = new RateLimiter(now);
  }

  /** @param processes that have the limits together */
  shareAmong(processes: number): void {
    this.#share = 1 / processes;
  }

  /** @returns the limit that is reached, or what to call, once, when the handshake is over */
  begin(address: string, limits: HandshakeLimits): { over: LimitName } | { done: () => void } {
    const { maxHandshakes, handshakesPerSecond, handshakesPerSecondPerAddress } = limits;
    if (this.#running >= Math.ceil(maxHandshakes * this.#share)) return { over: 'max-handshakes' };
    // The address first: who is refused for itself takes nothing from the others.
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
