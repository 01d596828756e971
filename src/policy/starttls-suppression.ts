/**
 * Addresses that are not offered STARTTLS for a while, because the handshakes of a sender there cannot succeed: it repeats
 * one hello, and nothing in it suits this server. Its mail can then come in clear, if the sender allows that. An attacker
 * on the path could remove STARTTLS from the EHLO reply as well, so this weakens no protection that exists.
 */
import { AddressTable } from '../net/address-table.js';

/** May differ at each call; what is recorded stays. */
export interface SuppressionRule {
  /** Failures in a row, all with the same hello, after which STARTTLS is suppressed; 0 for never. */
  readonly after: number;
  /** How long STARTTLS is suppressed, and how long a failure or success counts. */
  readonly lifetimeMs: number;
}

interface Entry {
  /** Names what the failed hellos offered; undefined after a handshake that succeeded. */
  readonly hello: string | undefined;
  readonly failures: number;
  readonly at: number;
}

export class StarttlsSuppression {
  readonly #now: () => number;
  readonly #entries = new AddressTable<Entry>(MAX_ADDRESSES);

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Only for failures that repeating cannot mend.
   * @param hello the same for every hello with the same offer
   * @returns true when this failure is the one that suppresses STARTTLS
   */
  recordFailure(address: string, hello: string, rule: SuppressionRule): boolean {
    if (rule.after === 0) return false;
    const entry = this.#find(address, rule);
    // Where one client succeeds, another one that fails must not take STARTTLS from it.
    if (entry !== undefined && entry.hello === undefined) return false;
    const failures = entry?.hello === hello ? entry.failures + 1 : 1;
    this.#entries.set(address, { hello, failures, at: this.#now() });
    return failures === rule.after;
  }

  recordSuccess(address: string, { after }: SuppressionRule): void {
    if (after > 0) this.#entries.set(address, { hello: undefined, failures: 0, at: this.#now() });
  }

  isSuppressed(address: string, rule: SuppressionRule): boolean {
    return rule.after > 0 && (this.#find(address, rule)?.failures ?? 0) >= rule.after;
  }

  #find(address: string, { lifetimeMs }: SuppressionRule): Entry | undefined {
    const entry = this.#entries.get(address);
    if (entry === undefined || this.#now() - entry.at < lifetimeMs) return entry;
    this.#entries.delete(address);
    return undefined;
  }
}

/** About two hundred bytes each; the address whose last handshake is the oldest is forgotten first. */
const MAX_ADDRESSES = 10_000;
