/**
 * Keeps a flood of the same failure from one network from filling the log, and one of clients that connect and say nothing:
 * the first few in a minute are written, the others are counted and summarized in one line. Subscribers still receive
 * every event.
 */
import type { EventFields, LogEntry } from './events.js';
import { siteNetwork } from '../net/ip-address.js';

export class Repetition {
  readonly #limit: number;
  readonly #report: (summary: EventFields<'repeated'>) => void;
  /** Oldest first. */
  readonly #runs = new Map<string, Run>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param limit lines a minute; 0: no limit
   * @param report called at the end of a minute in which more came
   */
  constructor(limit: number, report: (summary: EventFields<'repeated'>) => void) {
    this.#limit = limit;
    this.#report = report;
  }

  /** Whether this event exceeds the limit and must not be written. */
  isTooMany(entry: LogEntry): boolean {
    if (this.#limit === 0 || entry.event !== 'connection_closed' || !isLimited(entry.fields)) return false;
    const { client, outcome, reason } = entry.fields;
    const network = siteNetwork(client.address);
    const key = JSON.stringify([network, outcome, reason]);
    const run = this.#runs.get(key) ?? this.#begin(key, { network, outcome, reason });
    run.count += 1;
    return run.count > this.#limit;
  }

  /** Reports all counts now. */
  flush(): void {
    for (const key of [...this.#runs.keys()]) this.#end(key);
  }

  #begin(key: string, what: Pick<Run, 'network' | 'outcome' | 'reason'>): Run {
    if (this.#runs.size >= MAX_RUNS) this.#end(this.#runs.keys().next().value!);
    const run = { ...what, count: 0, began: performance.now() };
    this.#runs.set(key, run);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
    return run;
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, { began }] of this.#runs) {
      if (now - began < INTERVAL_MS) break;
      this.#end(key);
    }
    if (this.#runs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #end(key: string): void {
    const { network, outcome, reason, count, began } = this.#runs.get(key)!;
    this.#runs.delete(key);
    const more = count - this.#limit;
    if (more <= 0) return;
    const seconds = Math.round((performance.now() - began) / 1000);
    this.#report({ network, outcome, reason, count: more, seconds });
  }
}

function isLimited({ fault, outcome, bytes }: EventFields<'connection_closed'>): boolean {
  if (fault !== undefined || outcome === 'left_after_handshake') return true;
  return outcome === 'plaintext' && bytes.fromClient <= QUIT_BYTES;
}

interface Run {
  readonly network: string;
  readonly outcome: EventFields<'connection_closed'>['outcome'];
  readonly reason: string | undefined;
  count: number;
  /** Time of performance.now(). */
  readonly began: number;
}

/** `QUIT` CR LF: a health check says that much, or nothing. */
const QUIT_BYTES = 6;
const INTERVAL_MS = 60_000;
const SWEEP_INTERVAL_MS = 5_000;
/** About 200 bytes each. With more kinds of failure at once, the oldest is reported early. */
const MAX_RUNS = 5_000;
