/** How many connections there are, in total and from each address. */

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

export class ConnectionCount {
  #total = 0;
  readonly #byAddress = new Map<string, number>();

  get total(): number {
    return this.#total;
  }

  /** The name of the limit that one more connection from `address` would exceed. */
  over(
    address: string,
    limits: ConnectionLimits,
  ): 'max-connections' | 'max-connections-per-address' | undefined {
    if (this.#total >= limits.maxConnections) return 'max-connections';
    const fromAddress = this.#byAddress.get(address) ?? 0;
    return fromAddress >= limits.maxConnectionsPerAddress ? 'max-connections-per-address' : undefined;
  }

  /** @returns what to call, once, when the connection has ended */
  enter(address: string): () => void {
    this.#total += 1;
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    return () => {
      this.#total -= 1;
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
    };
  }
}
