/** What a connection waits for, one thing at a time, and what happens when it does not come. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  /** Takes the place of what was waited for so far. */
  set(milliseconds: number, expired: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(expired, milliseconds);
  }

  /** As much time again, from now on. */
  extend(): void {
    this.#timer?.refresh();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
