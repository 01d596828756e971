/** How many hellos of each kind came, by hour and by day, for as long back as there are slots. */
import type { HelloHistory, HelloKind, HelloSlot } from './status-shape.js';

export class HelloCounts {
  readonly #now: () => number;
  readonly #hours: Ring;
  readonly #days: Ring;

  /** @param now Unix time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#hours = new Ring(HOUR, HOURS, now());
    this.#days = new Ring(24 * HOUR, DAYS, now());
  }

  count(kind: HelloKind): void {
    this.#hours.count(kind, this.#now());
    this.#days.count(kind, this.#now());
  }

  history(): HelloHistory {
    return { hours: this.#hours.slots(this.#now()), days: this.#days.slots(this.#now()) };
  }
}

export function helloKind(format: 'sslv2' | 'record', version: string): HelloKind {
  if (format === 'sslv2') return 'sslv2';
  if (version === 'SSLv3' || version === 'SSLv2') return 'ssl3';
  return version === 'TLSv1' || version === 'TLSv1.1' ? 'tls10' : 'modern';
}

type Counts = Record<HelloKind, number>;

/** Slots of equal length that begin at whole multiples of it in UTC; the oldest is overwritten. */
class Ring {
  readonly #length: number;
  readonly #slots: Counts[];
  /** The number of the slot that is being filled, counted from 1970. */
  #current: number;

  constructor(length: number, count: number, now: number) {
    this.#length = length;
    this.#slots = Array.from({ length: count }, noCounts);
    this.#current = Math.floor(now / length);
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
      const start = new Date(number * this.#length).toISOString();
      return { start, ...this.#slots[number % this.#slots.length]! };
    });
  }

  /** A clock that was set back goes on counting in the slot it left. */
  #advance(now: number): void {
    const target = Math.floor(now / this.#length);
    const first = Math.max(this.#current + 1, target - this.#slots.length + 1);
    for (let number = first; number <= target; number++) {
      this.#slots[number % this.#slots.length] = noCounts();
    }
    this.#current = Math.max(this.#current, target);
  }
}

function noCounts(): Counts {
  return { sslv2: 0, ssl3: 0, tls10: 0, modern: 0 };
}

/** Milliseconds. */
const HOUR = 60 * 60 * 1000;
/** A week, and the time a migration takes. */
const HOURS = 7 * 24;
const DAYS = 90;
