/**
 * Keeps a flood of one failure from one network from filling the log: the first few in a minute are written, the rest
 * is counted and told in one line. Only what is written is thinned out; subscribers hear of every event.
 */
import type { EventFields, LogEntry } from './events.js';
import { siteNetwork } from '../net/ip-address.js';

export class Repetition {
  readonly #limit: number;
  readonly #report: (summary: EventFields<'repeated'>) => void;
  /** In the order of their first failure. */
  readonly #runs = new Map<string, Run>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param limit how many are written in a minute; 0 for all
   * @param report called at the end of a minute in which more came
   */
  constructor(limit: number, report: (summary: EventFields<'repeated'>) => void) {
    this.#limit = limit;
    this.#report = report;
  }

  /** Whether this event is one too many to be written. */
  isTooMany(entry: LogEntry): boolean {
    if (this.#limit === 0 || entry.event !== 'connection_closed' || entry.fields.fault === undefined)
      return false;
    const { client, outcome, reason } = entry.fields;
    const network = siteNetwork(client.address);
    const key = JSON.stringify([network, outcome, reason]);
    const run = this.#runs.get(key) ?? this.#begin(key, { network, outcome, reason });
    run.count += 1;
    return run.count > this.#limit;
  }

  /** Tells now what there is to tell. */
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

interface Run {
  readonly network: string;
  readonly outcome: EventFields<'connection_closed'>['outcome'];
  readonly reason: string | undefined;
  count: number;
  /** On the clock of performance.now(). */
  readonly began: number;
}

const INTERVAL_MS = 60_000;
const SWEEP_INTERVAL_MS = 5_000;
/** About 200 bytes each; when there are more kinds of failure at once, the oldest is told early. */
const MAX_RUNS = 5_000;
