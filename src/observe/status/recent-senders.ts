/**
 * Senders of old hellos and senders whose connections fail: one row for each address. When the table is full, the least
 * recently seen row is dropped.
 */
import { AddressTable } from '../../net/address-table.js';
import { siteNetwork } from '../../net/ip-address.js';
import type { EventFields } from '../events.js';
import { helloKind } from '../hello/hello-kind.js';
import type { SenderStatus, Senders } from './status-shape.js';

export class RecentSenders {
  readonly #now: () => number;
  readonly #rows = new AddressTable<SenderStatus>(MAX_SENDERS);
  #forgotten = 0;

  /** @param now Unix time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Connections without a hello, and modern clients without a failure, get no row. */
  count({ client, hello, tls, smtp, outcome, fault }: EventFields<'connection_closed'>): void {
    if (hello === undefined) return;
    const { address } = client;
    const before = this.#rows.get(address);
    const ok = tls !== undefined && fault === undefined;
    const modern = helloKind(hello) === 'modern';
    if (modern && ok && before === undefined) return;
    const now = new Date(this.#now()).toISOString();
    const forgotten = this.#rows.set(address, {
      address,
      network: siteNetwork(address),
      helo: smtp?.helo ?? before?.helo ?? '',
      format: hello.format,
      version: tls?.version ?? hello.version,
      suite: tls?.suite ?? '',
      library: hello.library,
      first: before?.first ?? now,
      last: now,
      count: (before?.count ?? 0) + 1,
      failed: (before?.failed ?? 0) + (ok ? 0 : 1),
      outcome,
      ok,
    });
    if (forgotten) this.#forgotten += 1;
  }

  list(): Senders {
    return { list: [...this.#rows.values()].reverse(), forgotten: this.#forgotten };
  }
}

/** About half a kilobyte each, here and in the page. */
const MAX_SENDERS = 1_000;
