/**
 * Token buckets, one for each key: `rate` tokens a second come in, and a bucket holds what comes in BURST_SECONDS. What
 * is kept of a bucket is one number, the time at which it will be full again (the "virtual scheduling" of ATM's generic
 * cell rate algorithm, ITU-T I.371), so that a full bucket needs no memory at all.
 */

export class RateLimiter {
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #fullAt = new Map<string, number>();

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Buckets that are kept; for tests of the bound. */
  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes a token, if there is one.
   * @param rate tokens a second; 0 for no limit
   */
  take(key: string, rate: number): boolean {
    if (rate === 0) return true;
    const now = this.#now();
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? 0) + 1000 / rate;
    if (fullAt - now > Math.max(BURST_SECONDS * 1000, 1000 / rate)) return false;
    this.#fullAt.delete(key);
    if (this.#fullAt.size >= MAX_BUCKETS) this.#forgetOne();
    this.#fullAt.set(key, fullAt);
    return true;
  }

  #forgetOne(): void {
    this.#fullAt.delete(this.#fullAt.keys().next().value!);
  }
}

/** A bucket holds the tokens of this time: a mail queue that is flushed, or an office in the morning, is no attack. */
export const BURST_SECONDS = 10;
/** About a hundred bytes each; when more are in use, those used longest ago count as full. */
const MAX_BUCKETS = 10_000;
