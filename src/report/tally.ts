/** Counts sessions into what the report says. Memory does not grow with the length of the log. */
import type { LoggedSession, LogLine } from './log-line.js';
import { BoundedCounts } from './bounded-counts.js';
import { SenderTable, type Others, type Sender } from './sender-table.js';
import { brokenBy, SWITCH_OFF_CODES, type SwitchOffCode } from './switch-offs.js';

/** RFC 3339 in UTC; `until` is not part of it. */
export interface Period {
  readonly since: string | undefined;
  readonly until: string | undefined;
}

export interface Day {
  readonly day: string;
  sessions: number;
  /** That opened with an SSLv2-format hello. */
  sslv2: number;
  /** With anything a server of today lacks. */
  old: number;
  /** With a hello and no TLS. */
  failed: number;
  plaintext: number;
}

export interface Kind {
  readonly format: string;
  readonly offered: string;
  readonly version: string;
  readonly suite: string;
  readonly sessions: number;
}

export interface Report {
  /** Of the sessions that were counted. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** Days with sessions, in order. */
  readonly days: readonly Day[];
  readonly sessions: number;
  readonly withTls: number;
  readonly plaintext: number;
  readonly old: number;
  readonly switchOffs: Readonly<
    Record<SwitchOffCode, { readonly senders: number; readonly sessions: number }>
  >;
  readonly kinds: readonly Kind[];
  readonly libraries: readonly { readonly library: string; readonly sessions: number }[];
  readonly failures: readonly {
    readonly outcome: string;
    readonly reason: string;
    readonly sessions: number;
  }[];
  /** Senders with old hellos, the busiest first. */
  readonly senders: readonly Sender[];
  readonly others: Others;
  readonly lines: {
    readonly total: number;
    readonly broken: number;
    readonly tooLong: number;
    readonly outsidePeriod: number;
  };
}

export class Tally {
  readonly #period: Period;
  readonly #days = new Map<string, Day>();
  readonly #kinds = new BoundedCounts();
  readonly #libraries = new BoundedCounts();
  readonly #failures = new BoundedCounts();
  readonly #senders = new SenderTable();
  readonly #broken = new Map<SwitchOffCode, number>(SWITCH_OFF_CODES.map((code) => [code, 0]));
  #first: string | undefined;
  #last: string | undefined;
  #sessions = 0;
  #withTls = 0;
  #plaintext = 0;
  #old = 0;
  #lines = 0;
  #brokenLines = 0;
  #outside = 0;

  constructor(period: Period) {
    this.#period = period;
  }

  add(line: LogLine): void {
    this.#lines += 1;
    switch (line.kind) {
      case 'broken':
        this.#brokenLines += 1;
        break;
      case 'session':
        if (this.#includes(line.session.time)) this.#session(line.session);
        else this.#outside += 1;
        break;
      case 'repeated':
        if (this.#includes(line.time)) this.#repeated(line);
        else this.#outside += 1;
        break;
      case 'other':
        break;
    }
  }

  /** @param tooLong lines that nobody could read */
  report(tooLong: number): Report {
    const senders = this.#senders.ranked();
    const switchOffs = SWITCH_OFF_CODES.map((code) => [
      code,
      { senders: addresses(senders, code), sessions: this.#broken.get(code)! },
    ]);
    return {
      first: this.#first,
      last: this.#last,
      days: [...this.#days.values()].sort((a, b) => (a.day < b.day ? -1 : 1)),
      sessions: this.#sessions,
      withTls: this.#withTls,
      plaintext: this.#plaintext,
      old: this.#old,
      switchOffs: Object.fromEntries(switchOffs) as Report['switchOffs'],
      kinds: this.#kinds
        .ranked()
        .map(([[format = '', offered = '', version = '', suite = ''], sessions]) => ({
          format,
          offered,
          version,
          suite,
          sessions,
        })),
      libraries: this.#libraries.ranked().map(([[library = ''], sessions]) => ({ library, sessions })),
      failures: this.#failures
        .ranked()
        .map(([[outcome = '', reason = ''], sessions]) => ({ outcome, reason, sessions })),
      senders: senders.filter(({ needs }) => needs.length > 0),
      others: this.#senders.others,
      lines: {
        total: this.#lines + tooLong,
        broken: this.#brokenLines,
        tooLong,
        outsidePeriod: this.#outside,
      },
    };
  }

  #includes(time: string): boolean {
    const { since, until } = this.#period;
    return (since === undefined || time >= since) && (until === undefined || time < until);
  }

  #session(session: LoggedSession): void {
    const { time, hello, tls, outcome, reason } = session;
    const day = this.#day(time, 1);
    if (tls !== undefined) this.#withTls += 1;
    if (hello === undefined) {
      if (outcome === 'plaintext') {
        this.#plaintext += 1;
        day.plaintext += 1;
      } else if (outcome !== 'completed') {
        this.#failures.add([outcome, reason ?? '']);
      }
      return;
    }
    const old = hello.needs.length > 0;
    if (hello.format === 'sslv2') day.sslv2 += 1;
    if (old) {
      this.#old += 1;
      day.old += 1;
      this.#libraries.add([hello.library]);
      this.#kinds.add([hello.format, hello.version, tls?.version ?? '', tls?.suite ?? '']);
    }
    if (tls === undefined) {
      day.failed += 1;
      this.#failures.add([outcome, reason ?? '']);
    }
    const breaks = brokenBy(session);
    for (const code of breaks) this.#broken.set(code, this.#broken.get(code)! + 1);
    if (old) this.#senders.count(session, breaks);
  }

  #repeated({ time, count, outcome, reason }: Extract<LogLine, { kind: 'repeated' }>): void {
    this.#day(time, count).failed += count;
    this.#failures.add([outcome, reason ?? ''], count);
  }

  #day(time: string, sessions: number): Day {
    this.#sessions += sessions;
    if (this.#first === undefined || time < this.#first) this.#first = time;
    if (this.#last === undefined || time > this.#last) this.#last = time;
    const day = time.slice(0, 'YYYY-MM-DD'.length);
    let counts = this.#days.get(day);
    if (counts === undefined) {
      counts = { day, sessions: 0, sslv2: 0, old: 0, failed: 0, plaintext: 0 };
      if (this.#days.size < MAX_DAYS) this.#days.set(day, counts);
    }
    counts.sessions += sessions;
    return counts;
  }
}

function addresses(senders: readonly Sender[], code: SwitchOffCode): number {
  return new Set(senders.filter(({ breaks }) => breaks.includes(code)).map(({ address }) => address)).size;
}

/** Twenty years; days beyond are in the sums only. */
const MAX_DAYS = 7305;
