/**
 * Sessions by id in this process' memory: bounded by count and age, the oldest out first. Use does not make a session
 * younger, so that no secret stays longer than `lifetime`.
 */
import type { Session } from './handshake/session.js';
import { lastingCopy } from './wire.js';

interface Entry {
  readonly session: Session;
  readonly expires: number;
}

export class SessionCache {
  readonly #capacity: number;
  readonly #lifetime: number;
  readonly #now: () => number;
  /** In the order they came, which is the order they expire in. */
  readonly #entries = new Map<string, Entry>();

  /**
   * @param capacity sessions
   * @param lifetime milliseconds; RFC 5246, F.1.4 suggests at most 24 hours
   * @param now milliseconds from any monotonic origin
   */
  constructor(capacity: number, lifetime: number, now: () => number) {
    this.#capacity = capacity;
    this.#lifetime = lifetime;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Keeps a copy and wipes the secret it was given. */
  save(id: Buffer, session: Session): void {
    const masterSecret = lastingCopy(session.masterSecret);
    session.masterSecret.fill(0);
    this.#expire();
    const kept = { ...session, masterSecret };
    this.#entries.set(id.toString('latin1'), { session: kept, expires: this.#now() + this.#lifetime });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity) this.#remove(oldest!);
  }

  find(id: Buffer): Session | undefined {
    this.#expire();
    return this.#entries.get(id.toString('latin1'))?.session;
  }

  forget(id: Buffer): void {
    this.#remove(id.toString('latin1'));
  }

  #expire(): void {
    const now = this.#now();
    for (const [id, { expires }] of this.#entries) {
      if (expires > now) return;
      this.#remove(id);
    }
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    entry?.session.masterSecret.fill(0);
    this.#entries.delete(id);
  }
}
