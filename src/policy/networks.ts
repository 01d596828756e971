/** Whether an address belongs to a set of networks, and which policy entry applies to it. */
import { addressBytes } from '../net/ip-address.js';

/**
 * A set of networks in CIDR notation, or single addresses. IPv4 counts as ::ffff:0:0/96 (RFC 4291, 2.5.5.2), so that one
 * search is enough; its steps grow with the logarithm of the number of networks.
 */
export class NetworkSet {
  /** The first and the last address of each range, in words. Ranges are in order and do not overlap. */
  readonly #bounds: Uint32Array;

  private constructor(bounds: Uint32Array) {
    this.#bounds = bounds;
  }

  /** @param networks as `network` of config/formats.ts allows them */
  static of(networks: readonly string[]): NetworkSet {
    return new NetworkSet(merge(boundsOf(networks)));
  }

  /** @param bytes of a NetworkSet of this machine; they are copied */
  static restore(bytes: Buffer): NetworkSet {
    return new NetworkSet(new Uint32Array(new Uint8Array(bytes).buffer));
  }

  /** How many ranges there are, those that overlap counted as one. */
  get size(): number {
    return this.#bounds.length / RANGE_WORDS;
  }

  /** For `restore`; not to be changed. */
  get bytes(): Buffer {
    const { buffer, byteOffset, byteLength } = this.#bounds;
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  has(address: string): boolean {
    const bytes = addressBytes(address);
    if (bytes === undefined) return false;
    const words = wordsOf(bytes);
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#bounds, middle * RANGE_WORDS, words, 0) <= 0) low = middle + 1;
      else high = middle;
    }
    // The last range that begins at the address or before it.
    return low > 0 && compare(this.#bounds, (low - 1) * RANGE_WORDS + WORDS, words, 0) >= 0;
  }
}

/** What of a policy entry says whom it is for. */
export interface Clients {
  readonly networks: readonly string[];
  readonly networksFile: string | undefined;
}

/** The networks of each file, by its path. */
export type NetworkFiles = Readonly<Record<string, NetworkSet>>;

/** Entries in order; the first one that contains the address applies, and one without networks contains every address. */
export class PolicyTable<P extends Clients> {
  readonly #entries: readonly { readonly policy: P; readonly sets: readonly NetworkSet[] }[];

  /** @throws Error for a file that is not among `files` */
  constructor(policies: readonly P[], files: NetworkFiles) {
    this.#entries = policies.map((policy) => ({ policy, sets: setsOf(policy, files) }));
  }

  match(address: string): P | undefined {
    return this.#entries.find(({ sets }) => sets.length === 0 || sets.some((set) => set.has(address)))
      ?.policy;
  }
}

function setsOf({ networks, networksFile }: Clients, files: NetworkFiles): NetworkSet[] {
  const written = networks.length === 0 ? [] : [NetworkSet.of(networks)];
  if (networksFile === undefined) return written;
  const read = files[networksFile];
  // Without it the entry would be for everybody.
  if (read === undefined) throw new Error(`${networksFile} was not read`);
  return [...written, read];
}

function boundsOf(networks: readonly string[]): Uint32Array {
  const bounds = new Uint32Array(networks.length * RANGE_WORDS);
  for (const [index, network] of networks.entries()) {
    const [address = '', prefix] = network.split('/');
    const isIpv6 = address.includes(':');
    const length = prefix === undefined ? ADDRESS_BITS : Number(prefix) + (isIpv6 ? 0 : IPV4_OFFSET_BITS);
    const words = wordsOf(addressBytes(address)!);
    for (let word = 0; word < WORDS; word += 1) {
      const value = words[word]!;
      const hostBits = Math.min(WORD_BITS, Math.max(0, WORD_BITS * (word + 1) - length));
      const hostMask = 2 ** hostBits - 1;
      const at = index * RANGE_WORDS + word;
      bounds[at] = value & ~hostMask;
      bounds[at + WORDS] = value | hostMask;
    }
  }
  return bounds;
}

/** The same addresses, in order and without overlaps. */
function merge(bounds: Uint32Array): Uint32Array {
  const starts = Uint32Array.from({ length: bounds.length / RANGE_WORDS }, (_, index) => index * RANGE_WORDS);
  starts.sort((a, b) => compare(bounds, a, bounds, b));
  const merged = new Uint32Array(bounds.length);
  let end = 0;
  for (const start of starts) {
    const last = end - WORDS;
    if (end === 0 || compare(merged, last, bounds, start) < 0) {
      merged.set(bounds.subarray(start, start + RANGE_WORDS), end);
      end += RANGE_WORDS;
    } else if (compare(merged, last, bounds, start + WORDS) < 0) {
      merged.set(bounds.subarray(start + WORDS, start + RANGE_WORDS), last);
    }
  }
  return merged.slice(0, end);
}

/** Negative, zero or positive, of the addresses that begin at these places. */
function compare(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  for (let word = 0; word < WORDS; word += 1) {
    const difference = a[atA + word]! - b[atB + word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param bytes 4 or 16 */
function wordsOf(bytes: Buffer): Uint32Array {
  const words = new Uint32Array(WORDS);
  if (bytes.length === 4) words.set([MAPPED, bytes.readUInt32BE(0)], 2);
  else for (let word = 0; word < WORDS; word += 1) words[word] = bytes.readUInt32BE(4 * word);
  return words;
}

const WORD_BITS = 32;
const ADDRESS_BITS = 128;
/** Words of 32 bits in an address. */
const WORDS = ADDRESS_BITS / WORD_BITS;
const RANGE_WORDS = 2 * WORDS;
/** The word before an IPv4 address in its IPv6 form, and where the address begins. */
const MAPPED = 0xffff;
const IPV4_OFFSET_BITS = 96;
