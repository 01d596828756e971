/**
 * Remembers addresses whose handshakes keep failing, so that they can be offered no STARTTLS for a while and their mail
 * may come as their sender's policy allows. Whoever could make a handshake fail on the way could strip STARTTLS too, so
 * this takes no protection away.
 */

/** May be others at each call; what is remembered stays. */
export interface Hopelessness {
  /** Failures in a row after which an address is hopeless; 0 for never. */
  readonly after: number;
  /** Milliseconds an address stays hopeless, and a failure counts. */
  readonly lifetime: number;
}

export interface HopelessClient {
  readonly address: string;
  readonly failures: number;
  /** Milliseconds until it is offered STARTTLS again. */
  readonly remaining: number;
}

interface Entry {
  failures: number;
  last: number;
}

export class FailureMemory {
  readonly #now: () => number;
  /** In the order of their last failure. */
  readonly #entries = new Map<string, Entry>();

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns true when this failure made the address hopeless */
  failed(address: string, { after, lifetime }: Hopelessness): boolean {
    if (after === 0) return false;
    const failures = (this.#find(address, lifetime)?.failures ?? 0) + 1;
    this.#entries.delete(address);
    if (this.#entries.size >= MAX_ADDRESSES) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(address, { failures, last: this.#now() });
    return failures === after;
  }

  /** A handshake that succeeds shows that the address is not hopeless. */
  succeeded(address: string): void {
    this.#entries.delete(address);
  }

  isHopeless(address: string, { after, lifetime }: Hopelessness): boolean {
    return after > 0 && (this.#find(address, lifetime)?.failures ?? 0) >= after;
  }

  list({ after, lifetime }: Hopelessness): HopelessClient[] {
    return [...this.#entries.keys()].flatMap((address) => {
      const entry = this.#find(address, lifetime);
      if (after === 0 || entry === undefined || entry.failures < after) return [];
      return [{ address, failures: entry.failures, remaining: entry.last + lifetime - this.#now() }];
    });
  }

  #find(address: string, lifetime: number): Entry | undefined {
    const entry = this.#entries.get(address);
    if (entry === undefined || this.#now() - entry.last < lifetime) return entry;
    this.#entries.delete(address);
    return undefined;
  }
}

/** About a hundred bytes each; when more fail, those that failed longest ago are forgotten. */
const MAX_ADDRESSES = 10_000;
