/** Whether an address belongs to a set of networks, and which policy entry applies to it. */
import { BlockList, isIP } from 'node:net';

/** A set of networks in CIDR notation, or single addresses. */
export class NetworkSet {
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  has(address: string): boolean {
    return this.#list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Entries in order; the first one that contains the address applies, and one without networks contains every address. */
export class PolicyTable<P extends { readonly networks: readonly string[] }> {
  readonly #entries: { readonly policy: P; readonly set: NetworkSet }[];

  constructor(policies: readonly P[]) {
    this.#entries = policies.map((policy) => ({ policy, set: new NetworkSet(policy.networks) }));
  }

  match(address: string): P | undefined {
    return this.#entries.find(({ policy, set }) => policy.networks.length === 0 || set.has(address))?.policy;
  }
}
