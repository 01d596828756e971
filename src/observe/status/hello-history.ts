/** Counts hellos of each kind by hour and by day. The number of slots is fixed. */
import { noHellos, type HelloCounts, type HelloKind } from '../hello/hello-kind.js';
import type { HelloHistory, HelloSlot } from './status-shape.js';

export class HelloCounter {
  readonly #now: () => number;
  readonly #hours: Ring;
  readonly #days: Ring;

  /** @param now Unix time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#hours = new Ring(HOUR_MS, HOURS, now());
    this.#days = new Ring(24 * HOUR_MS, DAYS, now());
  }

  count(kind: HelloKind): void {
    this.#hours.count(kind, this.#now());
    this.#days.count(kind, this.#now());
  }

  history(): HelloHistory {
    return { hours: this.#hours.slots(this.#now()), days: this.#days.slots(this.#now()) };
  }
}

/** Slots of equal length that begin at whole multiples of it in UTC; the oldest is overwritten. */
class Ring {
  readonly #lengthMs: number;
  readonly #slots: HelloCounts[];
  /** The number of the present slot since 1970. */
  #current: number;

  constructor(lengthMs: number, count: number, now: number) {
    this.#lengthMs = lengthMs;
    this.#slots = Array.from({ length: count }, noHellos);
    this.#current = Math.floor(now / lengthMs);
  }

  count(kind: HelloKind, now: number): void {
    this.#advance(now);
    this.#slots[this.#current % this.#slots.length]![kind] += 1;
  }

  slots(now: number): HelloSlot[] {
    this.#advance(now);
    const oldest = this.#current - this.#slots.length + 1;
    return this.#slots.map((_, index) => {
      const number = oldest + index;
      const start = new Date(number * this.#lengthMs).toISOString();
      return { start, ...this.#slots[number % this.#slots.length]! };
    });
  }

  /** A clock that was set back does not move the present slot back. */
  #advance(now: number): void {
    const target = Math.floor(now / this.#lengthMs);
    const first = Math.max(this.#current + 1, target - this.#slots.length + 1);
    for (let number = first; number <= target; number++) {
      this.#slots[number % this.#slots.length] = noHellos();
    }
    this.#current = Math.max(this.#current, target);
  }
}

const HOUR_MS = 60 * 60 * 1000;
/** A week of hours, and three months of days. */
const HOURS = 7 * 24;
const DAYS = 90;
