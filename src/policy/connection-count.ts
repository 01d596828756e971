/** How many connections there are: in total, from each address, and from the networks of each policy entry. */
import { limitKey } from '../net/ip-address.js';
import type { LimitName } from './limits.js';

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** The clients of one policy entry. */
export interface Group {
  /** Stays the same when the configuration is read again. */
  readonly name: string;
  readonly maxConnections: number;
}

export class ConnectionCount {
  #total = 0;
  readonly #byAddress = new Tally();
  readonly #byGroup = new Tally();

  get total(): number {
    return this.#total;
  }

  /** @returns the limit that is reached, or a function to call once when the connection has ended */
  acquire(
    address: string,
    limits: ConnectionLimits,
    group?: Group,
  ): { over: LimitName } | { release: () => void } {
    const counted = limitKey(address);
    if (this.#total >= limits.maxConnections) return { over: 'max-connections' };
    if (this.#byAddress.get(counted) >= limits.maxConnectionsPerAddress) {
      return { over: 'max-connections-per-address' };
    }
    if (group !== undefined && this.#byGroup.get(group.name) >= group.maxConnections) {
      return { over: 'policy-max-connections' };
    }
    this.#add(counted, group, 1);
    return { release: () => this.#add(counted, group, -1) };
  }

  #add(address: string, group: Group | undefined, change: 1 | -1): void {
    this.#total += change;
    this.#byAddress.add(address, change);
    if (group !== undefined) this.#byGroup.add(group.name, change);
  }
}

/** Counts by name; a count of zero takes no memory. */
class Tally {
  readonly #counts = new Map<string, number>();

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, change: number): void {
    const count = this.get(name) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
