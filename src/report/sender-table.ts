/**
 * Who sends, in bounded memory. An entry is an address with the hello it sends; when there are twice as many as may be
 * kept, those with the fewest sessions are let go and only counted. Whoever sends often is therefore kept and counted
 * exactly from the first session after which he stayed; one who was let go and comes back counts as another.
 */
import type { LoggedSession } from './log-line.js';
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
  /** Of the latest session with TLS. */
  tls: { readonly version: string; readonly suite: string } | undefined;
  sessions: number;
  failed: number;
  /** Of the latest session. */
  outcome: string;
  first: string;
  last: string;
  /** What would break this sender. */
  breaks: readonly SwitchOffCode[];
}

export interface Others {
  senders: number;
  sessions: number;
}

export class SenderTable {
  readonly #senders = new Map<string, Sender>();
  readonly #capacity: number;
  readonly others: Others = { senders: 0, sessions: 0 };

  /** @param capacity entries that are kept for certain */
  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  count(session: LoggedSession, breaks: readonly SwitchOffCode[]): void {
    const { hello, address } = session;
    if (hello === undefined) return;
    const key = `${address} ${hello.fingerprint}`;
    const known = this.#senders.get(key);
    const sender = known ?? newSender(session, hello);
    if (known === undefined) this.#add(key, sender);
    sender.sessions += 1;
    if (session.tls === undefined) sender.failed += 1;
    else if (breaks.length > sender.breaks.length) sender.breaks = breaks;
    if (session.time < sender.first) sender.first = session.time;
    if (session.time < sender.last) return;
    sender.last = session.time;
    sender.outcome = session.outcome;
    sender.helo = session.helo ?? sender.helo;
    sender.tls = session.tls ?? sender.tls;
  }

  /** Those with the most sessions first. */
  ranked(): Sender[] {
    return [...this.#senders.values()].sort(
      (a, b) => b.sessions - a.sessions || (a.address < b.address ? -1 : 1),
    );
  }

  #add(key: string, sender: Sender): void {
    if (this.#senders.size >= 2 * this.#capacity) this.#letGo();
    this.#senders.set(key, sender);
  }

  #letGo(): void {
    const ranked = [...this.#senders].sort(([, a], [, b]) => b.sessions - a.sessions);
    for (const [key, { sessions }] of ranked.slice(this.#capacity)) {
      this.#senders.delete(key);
      this.others.senders += 1;
      this.others.sessions += sessions;
    }
  }
}

function newSender(
  { address, helo, tls, time, outcome }: LoggedSession,
  { format, version, fingerprint, library, needs }: NonNullable<LoggedSession['hello']>,
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
    sessions: 0,
    failed: 0,
    outcome,
    first: time,
    last: time,
    breaks: [],
  };
}

/** Entries of about 1 KiB; a mail server that hears of more old senders has other troubles. */
const CAPACITY = 20_000;
