/** Who sends old hellos, or fails: one row an address, bounded; the least recently seen is forgotten first. */
import type { EventFields } from '../events.js';
import { helloKind } from './hello-history.js';
import { siteNetwork } from '../../net/ip-address.js';
import type { Sender, Senders } from './status-shape.js';

export class SenderTable {
  readonly #now: () => number;
  /** In the order they were last seen. */
  readonly #rows = new Map<string, Sender>();
  #forgotten = 0;

  /** @param now Unix time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Sessions without a hello, and those of clients of today that went well, leave no row. */
  saw({ client, hello, tls, smtp, outcome, fault }: EventFields<'connection_closed'>): void {
    if (hello === undefined) return;
    const { address } = client;
    const before = this.#rows.get(address);
    const ok = tls !== undefined && fault === undefined;
    const modern = helloKind(hello.format, hello.version) === 'modern';
    if (modern && ok && before === undefined) return;
    const now = new Date(this.#now()).toISOString();
    this.#rows.delete(address);
    if (this.#rows.size >= MAX_SENDERS) {
      this.#rows.delete(this.#rows.keys().next().value!);
      this.#forgotten += 1;
    }
    this.#rows.set(address, {
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
  }

  list(): Senders {
    return { list: [...this.#rows.values()].reverse(), forgotten: this.#forgotten };
  }
}

/** About half a kilobyte each, here and in the page. */
const MAX_SENDERS = 1_000;
