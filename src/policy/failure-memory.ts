/**
 * Remembers addresses whose handshakes keep failing, so that they can be offered no STARTTLS for a while and their mail
 * may come as their sender's policy allows. Whoever could make a handshake fail on the way could strip STARTTLS too, so
 * this takes no protection away.
 */

export interface FailureMemoryOptions {
  /** Failures in a row after which an address is hopeless; 0 for never. */
  readonly after: number;
  /** Milliseconds an address stays hopeless, and a failure counts. */
  readonly lifetime: number;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
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
  readonly #options: FailureMemoryOptions;
  /** In the order of their last failure. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: FailureMemoryOptions) {
    this.#options = options;
  }

  /** @returns true when this failure made the address hopeless */
  failed(address: string): boolean {
    const { after, now } = this.#options;
    if (after === 0) return false;
    const failures = (this.#find(address)?.failures ?? 0) + 1;
    this.#entries.delete(address);
    if (this.#entries.size >= MAX_ADDRESSES) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(address, { failures, last: now() });
    return failures === after;
  }

  /** A handshake that succeeds shows that the address is not hopeless. */
  succeeded(address: string): void {
    this.#entries.delete(address);
  }

  isHopeless(address: string): boolean {
    const { after } = this.#options;
    return after > 0 && (this.#find(address)?.failures ?? 0) >= after;
  }

  list(): HopelessClient[] {
    const { after, lifetime, now } = this.#options;
    return [...this.#entries.keys()].flatMap((address) => {
      const entry = this.#find(address);
      if (entry === undefined || entry.failures < after) return [];
      return [{ address, failures: entry.failures, remaining: entry.last + lifetime - now() }];
    });
  }

  #find(address: string): Entry | undefined {
    const { lifetime, now } = this.#options;
    const entry = this.#entries.get(address);
    if (entry === undefined || now() - entry.last < lifetime) return entry;
    this.#entries.delete(address);
    return undefined;
  }
}

/** About a hundred bytes each; when more fail, those that failed longest ago are forgotten. */
const MAX_ADDRESSES = 10_000;
