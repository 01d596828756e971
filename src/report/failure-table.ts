/** Why connections failed, and whose: one row an outcome and reason, in bounded memory. */

export interface Failure {
  readonly outcome: string;
  readonly reason: string;
  readonly connections: number;
  /** Different addresses; at least so many where `senderCountIsLower`. */
  readonly senders: number;
  readonly senderCountIsLower: boolean;
  /** The addresses with the most such failures, with their names. */
  readonly busiest: readonly { readonly address: string; readonly helo: string | undefined }[];
}

interface Row {
  readonly outcome: string;
  readonly reason: string;
  connections: number;
  readonly senders: Map<string, { helo: string | undefined; connections: number }>;
  /** Connections of senders that found no place, or whose address the log does not have. */
  withoutSender: number;
}

export class FailureTable {
  readonly #rows = new Map<string, Row>();
  #senders = 0;

  count(outcome: string, reason: string, address: string, helo: string | undefined): void {
    const row = this.#row(outcome, reason);
    row.connections += 1;
    const known = row.senders.get(address);
    if (known !== undefined) {
      known.connections += 1;
      known.helo = helo ?? known.helo;
    } else if (this.#senders < MAX_SENDERS) {
      this.#senders += 1;
      row.senders.set(address, { helo, connections: 1 });
    } else {
      row.withoutSender += 1;
    }
  }

  /** Failures that the log has only as a number. */
  countMany(outcome: string, reason: string, connections: number): void {
    const row = this.#row(outcome, reason);
    row.connections += connections;
    row.withoutSender += connections;
  }

  /** The most frequent first. */
  ranked(): Failure[] {
    return [...this.#rows.values()]
      .sort((a, b) => b.connections - a.connections)
      .map(({ outcome, reason, connections, senders, withoutSender }) => ({
        outcome,
        reason,
        connections,
        senders: senders.size,
        senderCountIsLower: withoutSender > 0,
        busiest: [...senders]
          .sort(([, a], [, b]) => b.connections - a.connections)
          .slice(0, MAX_NAMED)
          .map(([address, { helo }]) => ({ address, helo })),
      }));
  }

  #row(outcome: string, reason: string): Row {
    const key = `${outcome}\0${reason}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#rows.size >= MAX_ROWS && outcome !== OTHER) return this.#row(OTHER, OTHER);
    const row: Row = { outcome, reason, connections: 0, senders: new Map(), withoutSender: 0 };
    this.#rows.set(key, row);
    return row;
  }
}

const OTHER = 'other';
/** More than there are outcomes and reasons in any honest log. */
const MAX_ROWS = 1000;
/** Of all rows together; about 200 bytes each. */
const MAX_SENDERS = 20_000;
/** A sentence stays a sentence. */
const MAX_NAMED = 3;
