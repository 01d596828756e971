/**
 * Senders in bounded memory. An entry is an address and the hello it sends. At twice the capacity, the entries with the
 * fewest connections are dropped and only counted. A frequent sender therefore keeps its entry; a sender that was dropped
 * and comes back counts as another one.
 */
import type { LoggedConnection } from './log-line.js';
import type { SwitchOffCode } from './switch-offs.js';

export interface Sender {
  readonly address: string;
  /** The latest. */
  helo: string | undefined;
  readonly format: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly library: string;
  readonly needs: readonly string[];
  /** Of the latest connection with TLS. */
  tls: { readonly version: string; readonly suite: string } | undefined;
  connections: number;
  failed: number;
  /** Of the latest connection. */
  outcome: string;
  first: string;
  last: string;
  /** What would break this sender. */
  breaks: readonly SwitchOffCode[];
}

export interface Others {
  senders: number;
  connections: number;
}

export class SenderTable {
  readonly #senders = new Map<string, Sender>();
  readonly #capacity: number;
  readonly others: Others = { senders: 0, connections: 0 };

  /** @param capacity entries that are kept for certain */
  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  count(connection: LoggedConnection, breaks: readonly SwitchOffCode[]): void {
    const { hello, address } = connection;
    if (hello === undefined) return;
    const key = `${address} ${hello.fingerprint}`;
    const known = this.#senders.get(key);
    const sender = known ?? newSender(connection, hello);
    if (known === undefined) this.#add(key, sender);
    sender.connections += 1;
    if (connection.tls === undefined) sender.failed += 1;
    else if (breaks.length > sender.breaks.length) sender.breaks = breaks;
    if (connection.time < sender.first) sender.first = connection.time;
    if (connection.time < sender.last) return;
    sender.last = connection.time;
    sender.outcome = connection.outcome;
    sender.helo = connection.helo ?? sender.helo;
    sender.tls = connection.tls ?? sender.tls;
  }

  /** Those with the most connections first. */
  ranked(): Sender[] {
    return [...this.#senders.values()].sort(
      (a, b) => b.connections - a.connections || (a.address < b.address ? -1 : 1),
    );
  }

  #add(key: string, sender: Sender): void {
    if (this.#senders.size >= 2 * this.#capacity) this.#dropRarest();
    this.#senders.set(key, sender);
  }

  #dropRarest(): void {
    const ranked = [...this.#senders].sort(([, a], [, b]) => b.connections - a.connections);
    for (const [key, { connections }] of ranked.slice(this.#capacity)) {
      this.#senders.delete(key);
      this.others.senders += 1;
      this.others.connections += connections;
    }
  }
}

function newSender(
  { address, helo, tls, time, outcome }: LoggedConnection,
  { format, version, fingerprint, library, needs }: NonNullable<LoggedConnection['hello']>,
): Sender {
  return {
    address,
    helo,
    format,
    version,
    fingerprint,
    library,
    needs,
    tls,
    connections: 0,
    failed: 0,
    outcome,
    first: time,
    last: time,
    breaks: [],
  };
}

/** Entries of about 1 KiB each. */
const CAPACITY = 20_000;
