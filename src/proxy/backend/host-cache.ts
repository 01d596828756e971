/**
 * The addresses of host names, kept for as long as DNS allows. The system's resolver (getaddrinfo) decides which ones they
 * are and in which order, so that /etc/hosts, search domains and RFC 6724 count; it gives no TTL, so DNS is asked for that.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

export interface HostResolver {
  /** In the order in which they should be tried. @throws where the host has none, or nobody can tell */
  readonly addresses: (host: string) => Promise<readonly string[]>;
  /** What DNS has of exactly this name; none for a name that is not in DNS. */
  readonly records: (host: string) => Promise<readonly DnsRecord[]>;
}

export interface DnsRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

interface Answer {
  readonly addresses: readonly string[];
  readonly until: number;
}

export class HostCache {
  readonly #resolver: HostResolver;
  readonly #now: () => number;
  /** Bounded by the host names in the configurations of this process. */
  readonly #answers = new Map<string, Answer>();
  /** One look-up a name at a time. */
  readonly #running = new Map<string, Promise<readonly string[]>>();

  /** @param now milliseconds on a clock that never jumps */
  constructor(resolver: HostResolver, now: () => number) {
    this.#resolver = resolver;
    this.#now = now;
  }

  /** Where the resolver fails or is slow, the last answer holds. @returns none where there never was one */
  async resolve(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const known = this.#answers.get(host);
    if (known !== undefined && known.until > this.#now()) return known.addresses;
    const running = this.#running.get(host) ?? this.#lookUp(host);
    return known === undefined ? running : Promise.race([running, after(MAX_WAIT_MS, known.addresses)]);
  }

  #lookUp(host: string): Promise<readonly string[]> {
    const running = this.#ask(host).finally(() => this.#running.delete(host));
    this.#running.set(host, running);
    return running;
  }

  async #ask(host: string): Promise<readonly string[]> {
    try {
      const addresses = (await this.#resolver.addresses(host)).slice(0, MAX_ADDRESSES);
      this.#keep(host, addresses, LIFETIME_WITHOUT_TTL_MS);
      // No session waits for it: it decides how long the answer is kept, not what it is.
      this.#resolver.records(host).then(
        (records) => this.#keep(host, addresses, lifetimeMs(addresses, records)),
        () => undefined,
      );
      return addresses;
    } catch {
      const addresses = this.#answers.get(host)?.addresses ?? [];
      if (addresses.length > 0) this.#keep(host, addresses, RETRY_MS);
      return addresses;
    }
  }

  #keep(host: string, addresses: readonly string[], lifetimeMs: number): void {
    this.#answers.set(host, { addresses, until: this.#now() + lifetimeMs });
  }
}

export const SYSTEM_RESOLVER: HostResolver = {
  addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  async records(host) {
    const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
    const answers = await Promise.allSettled([
      resolver.resolve4(host, { ttl: true }),
      resolver.resolve6(host, { ttl: true }),
    ]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  },
};

/** Of addresses that DNS has too, its TTL. Others are from a file, or by a longer name. */
function lifetimeMs(addresses: readonly string[], records: readonly DnsRecord[]): number {
  const ttls = addresses.map((address) => records.find((record) => record.address === address)?.ttl);
  if (ttls.some((ttl) => ttl === undefined)) return LIFETIME_WITHOUT_TTL_MS;
  return Math.min(MAX_LIFETIME_MS, Math.max(MIN_LIFETIME_MS, 1_000 * Math.min(...(ttls as number[]))));
}

function after<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise((resolve) => void setTimeout(() => resolve(value), milliseconds).unref());
}

/** A TTL of 0 is for "this session only", and many sessions come in a second. */
const MIN_LIFETIME_MS = 1_000;
/** A TTL of days is a mistake more often than not. */
const MAX_LIFETIME_MS = 60 * 60 * 1_000;
const LIFETIME_WITHOUT_TTL_MS = 30_000;
/** After a failure. */
const RETRY_MS = 5_000;
/** How long a session waits for a new answer while there is an old one. */
const MAX_WAIT_MS = 1_000;
const DNS_TIMEOUT_MS = 2_000;
const MAX_ADDRESSES = 16;
