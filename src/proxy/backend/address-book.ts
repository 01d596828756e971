/** Which addresses of backends are down, and in which order a session tries them. One for a process; reloads leave it. */
import type { BackendConfig } from '../../config/schema.js';
import { backendAddressText, isUnixAddress, type BackendAddress } from '../../net/backend-address.js';
import { HostCache, SYSTEM_RESOLVER } from './host-cache.js';
import type { BackendTarget } from './target.js';

/** What one process tells the others of an address. */
export interface AddressState {
  readonly backend: string;
  readonly address: string;
  /** How long it counts as down, in milliseconds; 0 for an address that is up. */
  readonly downForMs: number;
}

export class AddressBook {
  readonly #hosts: HostCache;
  readonly #now: () => number;
  /** Only of those that are down, by backend and address. */
  readonly #downUntil = new Map<string, number>();
  /** By the name of the backend. */
  readonly #turns = new Map<string, number>();

  /** @param now milliseconds on a clock that never jumps */
  constructor(hosts: HostCache, now: () => number) {
    this.#hosts = hosts;
    this.#now = now;
  }

  /**
   * All addresses: first those that are up, in the order that `balance` asks for. Those that are down come last, for there
   * may be nothing better.
   * @param preferred where the last session of the same client was
   * @returns at least one
   */
  async sessionTargets(backend: BackendConfig, preferred?: BackendTarget): Promise<BackendTarget[]> {
    const targets = await this.targets(backend);
    const up = targets.filter((target) => !this.#isDown(target));
    const down = targets.filter((target) => this.#isDown(target));
    const first = preferred && up.find((target) => addressKey(target) === addressKey(preferred));
    // It takes nobody's turn: the client had its own before.
    if (first !== undefined) return [first, ...up.filter((target) => target !== first), ...down];
    return [...(backend.balance === 'round-robin' ? this.#rotated(backend.name, up) : up), ...down];
  }

  /** In the order of the configuration, each host name as the addresses that it has. */
  async targets(backend: BackendConfig): Promise<BackendTarget[]> {
    const resolved = await Promise.all(
      backend.address.map(async (configured) => {
        const addresses = await this.#resolve(configured);
        return addresses.map((address) => ({ backend, configured, address }));
      }),
    );
    return resolved.flat();
  }

  succeeded(target: BackendTarget): void {
    this.#downUntil.delete(addressKey(target));
  }

  failed(target: BackendTarget): void {
    this.learn(stateOf(target, true));
  }

  learn({ backend, address, downForMs }: AddressState): void {
    const key = keyOf(backend, address);
    this.#downUntil.delete(key);
    if (downForMs === 0) return;
    if (this.#downUntil.size >= MAX_DOWN) this.#downUntil.delete(this.#downUntil.keys().next().value!);
    this.#downUntil.set(key, this.#now() + downForMs);
  }

  #isDown(target: BackendTarget): boolean {
    const until = this.#downUntil.get(addressKey(target));
    return until !== undefined && until > this.#now();
  }

  #rotated(backend: string, targets: readonly BackendTarget[]): BackendTarget[] {
    const turn = this.#turns.get(backend) ?? 0;
    this.#turns.set(backend, (turn + 1) % Number.MAX_SAFE_INTEGER);
    const start = targets.length === 0 ? 0 : turn % targets.length;
    return [...targets.slice(start), ...targets.slice(0, start)];
  }

  async #resolve(configured: BackendAddress): Promise<BackendAddress[]> {
    if (isUnixAddress(configured)) return [configured];
    const { host, port } = configured;
    const addresses = await this.#hosts.resolve(host);
    // A name without an address is tried as it is, and the system says what is wrong with it.
    return addresses.length === 0 ? [configured] : addresses.map((address) => ({ host: address, port }));
  }
}

export function systemAddressBook(): AddressBook {
  const now = (): number => performance.now();
  return new AddressBook(new HostCache(SYSTEM_RESOLVER, now), now);
}

export function stateOf({ backend, address }: BackendTarget, isDown: boolean): AddressState {
  const downForMs = isDown ? Math.max(MIN_DOWN_MS, 2 * backend.healthInterval) : 0;
  return { backend: backend.name, address: backendAddressText(address), downForMs };
}

function addressKey({ backend, address }: BackendTarget): string {
  return keyOf(backend.name, backendAddressText(address));
}

function keyOf(backend: string, address: string): string {
  return `${backend} ${address}`;
}

/** Without health checks, how long it takes until a session tries the address again before all others. */
const MIN_DOWN_MS = 30_000;
/** Host names can have ever new addresses. */
const MAX_DOWN = 1_000;
