/**
 * What is remembered about each address, up to a bound: the address that was set the longest time ago is forgotten first. An
 * IPv6 client has a whole /64 of addresses, which gets a tenth of the table, so that it cannot push out all others.
 */
import { limitKey } from './ip-address.js';

export class AddressTable<V> {
  readonly #capacity: number;
  /** The least recently set first, as in the sets below. */
  readonly #rows = new Map<string, V>();
  /** Addresses by the /64 they are in; an IPv4 address is in none. */
  readonly #networks = new Map<string, Set<string>>();

  /** @param capacity addresses */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(address: string): V | undefined {
    return this.#rows.get(address);
  }

  /** @returns whether another address was forgotten for it */
  set(address: string, value: V): boolean {
    this.delete(address);
    const full = this.#oldestOfFull(limitKey(address));
    if (full !== undefined) this.delete(full);
    this.#rows.set(address, value);
    this.#join(address);
    return full !== undefined;
  }

  delete(address: string): void {
    if (!this.#rows.delete(address)) return;
    const network = limitKey(address);
    const members = this.#networks.get(network);
    members?.delete(address);
    if (members?.size === 0) this.#networks.delete(network);
  }

  /** The least recently set first. */
  values(): IterableIterator<V> {
    return this.#rows.values();
  }

  entries(): IterableIterator<[string, V]> {
    return this.#rows.entries();
  }

  #join(address: string): void {
    const network = limitKey(address);
    if (network === address) return;
    const members = this.#networks.get(network) ?? new Set();
    this.#networks.set(network, members.add(address));
  }

  /** The address that has to go before another one of this network comes. */
  #oldestOfFull(network: string): string | undefined {
    const members = this.#networks.get(network);
    if (members !== undefined && members.size >= this.#capacity / NETWORK_PARTS) return oldest(members);
    return this.#rows.size >= this.#capacity ? oldest(this.#rows) : undefined;
  }
}

function oldest(addresses: Set<string> | Map<string, unknown>): string | undefined {
  return addresses.keys().next().value;
}

/** One network has one of so many equal parts of the table. */
const NETWORK_PARTS = 10;
