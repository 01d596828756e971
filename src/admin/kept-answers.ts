/** Keeps answers that cost time to make, so that clients that ask in a loop do not take the processor from the mail. */

interface Kept<T> {
  readonly answer: Promise<T>;
  /** On the clock of `performance`, in milliseconds. */
  until: number;
}

export class KeptAnswers<T> {
  readonly #kept = new Map<string, Kept<T>>();

  /**
   * @param name one of few: each has its last answer kept
   * @returns the answer of `make`, or an earlier one that is still kept; rejects as `make` does
   */
  async get(name: string, make: () => T | Promise<T>): Promise<T> {
    const began = performance.now();
    const last = this.#kept.get(name);
    if (last !== undefined && began < last.until) return last.answer;
    // Those who ask while it is made wait for the same one.
    const kept = { answer: Promise.resolve().then(make), until: Infinity };
    this.#kept.set(name, kept);
    try {
      const answer = await kept.answer;
      const ended = performance.now();
      kept.until = ended + Math.min((ended - began) * KEPT_PER_MADE, MAX_KEPT_MS);
      return answer;
    } catch (error) {
      this.#kept.delete(name);
      throw error;
    }
  }
}

/** How much longer an answer is kept than it took to make: each name gets at most a tenth of the time. */
const KEPT_PER_MADE = 9;
/** Less than the time between two requests of the page. */
const MAX_KEPT_MS = 2_000;
