/**
 * Sessions by id in this process' memory: bounded by count and age, the oldest out first. Use does not make a session
 * younger, so that no secret stays longer than `lifetime`.
 */
import { MASTER_SECRET_LENGTH, type Session } from './session.js';

interface Entry {
  readonly id: string;
  readonly session: Session;
  readonly expires: number;
}

export class SessionCache {
  readonly #capacity: number;
  readonly #lifetime: number;
  readonly #now: () => number;
  readonly #byId = new Map<string, Entry>();
  /**
   * A ring, in the order they came, which is the order they expire in. The Map has that order too, but looks for its
   * oldest entry past all that were deleted: with 20,000 sessions, 20 to 90 us for each new one.
   */
  readonly #ring: (Entry | undefined)[] = [];
  /** Sessions that came before the oldest in the ring, and before the next that comes. */
  #first = 0;
  #end = 0;
  /** All master secrets, since a buffer of its own for each costs five times its length. */
  readonly #secrets: Buffer;

  /**
   * @param capacity sessions
   * @param lifetime milliseconds; RFC 5246, F.1.4 suggests at most 24 hours
   * @param now milliseconds from any monotonic origin
   */
  constructor(capacity: number, lifetime: number, now: () => number) {
    this.#capacity = capacity;
    this.#lifetime = lifetime;
    this.#now = now;
    this.#secrets = Buffer.alloc(capacity * MASTER_SECRET_LENGTH);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Keeps a copy and wipes the secret it was given. */
  save(id: Buffer, session: Session): void {
    if (this.#capacity === 0) {
      session.masterSecret.fill(0);
      return;
    }
    this.#expire();
    this.forget(id);
    if (this.#end - this.#first === this.#capacity) this.#removeFirst();
    const slot = this.#end % this.#capacity;
    const at = slot * MASTER_SECRET_LENGTH;
    const masterSecret = this.#secrets.subarray(at, at + MASTER_SECRET_LENGTH);
    session.masterSecret.copy(masterSecret);
    session.masterSecret.fill(0);
    const expires = this.#now() + this.#lifetime;
    const entry = { id: id.toString('latin1'), session: { ...session, masterSecret }, expires };
    this.#ring[slot] = entry;
    this.#end += 1;
    this.#byId.set(entry.id, entry);
  }

  /** Its master secret is the cache's, and may be another session's after the next call: copy what is to last. */
  find(id: Buffer): Session | undefined {
    this.#expire();
    return this.#byId.get(id.toString('latin1'))?.session;
  }

  forget(id: Buffer): void {
    const entry = this.#byId.get(id.toString('latin1'));
    if (entry !== undefined) this.#forget(entry);
  }

  #expire(): void {
    const now = this.#now();
    while (this.#first < this.#end) {
      const entry = this.#ring[this.#first % this.#capacity]!;
      if (this.#byId.get(entry.id) === entry && entry.expires > now) return;
      this.#removeFirst();
    }
  }

  #removeFirst(): void {
    const slot = this.#first % this.#capacity;
    const entry = this.#ring[slot]!;
    if (this.#byId.get(entry.id) === entry) this.#forget(entry);
    this.#ring[slot] = undefined;
    this.#first += 1;
  }

  #forget({ id, session }: Entry): void {
    session.masterSecret.fill(0);
    this.#byId.delete(id);
  }
}
