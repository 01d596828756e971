/** What became of every message of a soak, as its sender knows it; by envelope sender, of which each has its own. */
import type { MailLoad } from '../support/mail-load.js';

export class Books {
  readonly #acknowledged = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #loads: MailLoad[] = [];
  #next = 0;

  /** Another message, which may arrive from now on. */
  begin(): string {
    const from = `${this.#next++}@fault.example`;
    this.#begun.add(from);
    return from;
  }

  /** It was never sent to its end, so it must not arrive. */
  cut(from: string): void {
    this.#begun.delete(from);
  }

  acknowledge(from: string): void {
    this.#acknowledged.add(from);
  }

  /** Keeps the books of a load too. */
  include(load: MailLoad): void {
    this.#loads.push(load);
  }

  get acknowledged(): string[] {
    return [...this.#acknowledged, ...this.#loads.flatMap((load) => [...load.acknowledged])];
  }

  /** @param arrived envelope senders, in any order */
  compare(arrived: readonly string[]): { lost: string[]; doubled: string[]; unasked: string[] } {
    const there = new Set<string>();
    const doubled = arrived.filter((from) => there.has(from) || !there.add(from));
    const acknowledged = this.acknowledged;
    const uncertain = this.#loads.flatMap((load) => [...load.uncertain]);
    const expected = new Set([...acknowledged, ...uncertain, ...this.#begun]);
    return {
      lost: acknowledged.filter((from) => !there.has(from)),
      doubled,
      unasked: [...there].filter((from) => !expected.has(from)),
    };
  }
}
