/** Counts connections for a report. Memory does not grow with the length of the log. */
import { helloKind, noHellos, OLD_KINDS, type HelloCounts } from '../observe/hello/hello-kind.js';
import type { LoggedConnection, LogLine } from './log-line.js';
import { BoundedCounts } from './bounded-counts.js';
import { FailureTable, type Failure } from './failure-table.js';
import { SenderTable, type Others, type Sender } from './sender-table.js';
import { brokenBy, SWITCH_OFF_CODES, type SwitchOffCode } from './switch-offs.js';

/** RFC 3339 in UTC; `until` is not part of it. */
export interface Period {
  readonly since: string | undefined;
  readonly until: string | undefined;
}

export interface Day {
  readonly day: string;
  connections: number;
  readonly hellos: HelloCounts;
  /** With a hello and no TLS. */
  failed: number;
  plaintext: number;
}

export function emptyDay(day: string): Day {
  return { day, connections: 0, hellos: noHellos(), failed: 0, plaintext: 0 };
}

/** Old hellos of a day. */
export function oldOf({ hellos }: Day): number {
  return OLD_KINDS.reduce((sum, kind) => sum + hellos[kind], 0);
}

export interface Kind {
  readonly format: string;
  readonly offered: string;
  readonly version: string;
  readonly suite: string;
  readonly connections: number;
}

export interface Report {
  /** Of the connections that were counted. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** Days with connections, in order. */
  readonly days: readonly Day[];
  readonly connections: number;
  readonly withTls: number;
  readonly plaintext: number;
  readonly old: number;
  readonly switchOffs: Readonly<
    Record<SwitchOffCode, { readonly senders: number; readonly connections: number }>
  >;
  readonly kinds: readonly Kind[];
  readonly libraries: readonly { readonly library: string; readonly connections: number }[];
  readonly failures: readonly Failure[];
  /** Senders with old hellos, the busiest first. */
  readonly senders: readonly Sender[];
  readonly others: Others;
  /** What else the figures do not hold, in sentences. */
  readonly notes: readonly string[];
  readonly lines: {
    readonly total: number;
    readonly broken: number;
    /** Connections from the logs of Postfix and Exim. */
    readonly mailLog: number;
    /** That are no JSON at all. */
    readonly text: number;
    readonly tooLong: number;
    readonly outsidePeriod: number;
  };
}

export class Tally {
  readonly #period: Period;
  readonly #days = new Map<string, Day>();
  readonly #kinds = new BoundedCounts();
  readonly #libraries = new BoundedCounts();
  readonly #failures = new FailureTable();
  readonly #senders = new SenderTable();
  readonly #broken = new Map<SwitchOffCode, number>(SWITCH_OFF_CODES.map((code) => [code, 0]));
  #first: string | undefined;
  #last: string | undefined;
  #connections = 0;
  #withTls = 0;
  #plaintext = 0;
  #old = 0;
  #lines = 0;
  #brokenLines = 0;
  #textLines = 0;
  #mailLogLines = 0;
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
      case 'text':
        this.#textLines += 1;
        break;
      case 'connection':
        if (line.fromMailLog === true) this.#mailLogLines += 1;
        if (this.#includes(line.connection.time)) this.#connection(line.connection);
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

  /** @param tooLong lines that were left out @param notes what else was left out, in sentences */
  report(tooLong: number, notes: readonly string[] = []): Report {
    const senders = this.#senders.ranked();
    const switchOffs = SWITCH_OFF_CODES.map((code) => [
      code,
      { senders: addresses(senders, code), connections: this.#broken.get(code)! },
    ]);
    return {
      first: this.#first,
      last: this.#last,
      days: [...this.#days.values()].sort((a, b) => (a.day < b.day ? -1 : 1)),
      connections: this.#connections,
      withTls: this.#withTls,
      plaintext: this.#plaintext,
      old: this.#old,
      switchOffs: Object.fromEntries(switchOffs) as Report['switchOffs'],
      kinds: this.#kinds
        .ranked()
        .map(([[format = '', offered = '', version = '', suite = ''], connections]) => ({
          format,
          offered,
          version,
          suite,
          connections,
        })),
      libraries: this.#libraries.ranked().map(([[library = ''], connections]) => ({ library, connections })),
      failures: this.#failures.ranked(),
      senders: senders.filter(({ needs }) => needs.length > 0),
      others: this.#senders.others,
      notes,
      lines: {
        total: this.#lines + tooLong,
        broken: this.#brokenLines,
        text: this.#textLines,
        mailLog: this.#mailLogLines,
        tooLong,
        outsidePeriod: this.#outside,
      },
    };
  }

  #includes(time: string): boolean {
    const { since, until } = this.#period;
    return (since === undefined || time >= since) && (until === undefined || time < until);
  }

  #connection(connection: LoggedConnection): void {
    const { time, hello, tls, outcome, reason } = connection;
    const day = this.#day(time, 1);
    if (tls !== undefined) this.#withTls += 1;
    if (hello === undefined) {
      if (outcome === 'plaintext') {
        this.#plaintext += 1;
        day.plaintext += 1;
      } else if (outcome !== 'completed') {
        this.#failures.count(outcome, reason ?? '', connection.address, connection.helo);
      }
      return;
    }
    const kind = helloKind(hello);
    const old = kind !== 'modern';
    day.hellos[kind] += 1;
    if (old) {
      this.#old += 1;
      this.#libraries.add([hello.library]);
      this.#kinds.add([hello.format, hello.version, tls?.version ?? '', tls?.suite ?? '']);
    }
    if (tls === undefined) {
      day.failed += 1;
      this.#failures.count(outcome, reason ?? '', connection.address, connection.helo);
    }
    const breaks = brokenBy(connection);
    for (const code of breaks) this.#broken.set(code, this.#broken.get(code)! + 1);
    if (old) this.#senders.count(connection, breaks);
  }

  #repeated({ time, count, outcome, reason }: Extract<LogLine, { kind: 'repeated' }>): void {
    const day = this.#day(time, count);
    if (outcome === 'plaintext') {
      this.#plaintext += count;
      day.plaintext += count;
    } else if (outcome === 'left_after_handshake') this.#withTls += count;
    else {
      day.failed += count;
      this.#failures.countMany(outcome, reason ?? '', count);
    }
  }

  #day(time: string, connections: number): Day {
    this.#connections += connections;
    if (this.#first === undefined || time < this.#first) this.#first = time;
    if (this.#last === undefined || time > this.#last) this.#last = time;
    const day = time.slice(0, 'YYYY-MM-DD'.length);
    let counts = this.#days.get(day);
    if (counts === undefined) {
      counts = emptyDay(day);
      if (this.#days.size < MAX_DAYS) this.#days.set(day, counts);
    }
    counts.connections += connections;
    return counts;
  }
}

function addresses(senders: readonly Sender[], code: SwitchOffCode): number {
  return new Set(senders.filter(({ breaks }) => breaks.includes(code)).map(({ address }) => address)).size;
}

/** Twenty years; days beyond are in the sums only. */
const MAX_DAYS = 7305;
