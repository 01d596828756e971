/** File descriptors: how many connections the limit of this process is enough for. */
import { readdirSync, readFileSync } from 'node:fs';

export interface DescriptorBudget {
  /** Open files that one process may have. */
  readonly limit: number;
  /** Connections that one process can run without running out. */
  readonly connections: number;
  /** Refused connections that may still be open. */
  readonly refused: number;
  /** Connections whose PROXY header has not come. */
  readonly awaitingHeader: number;
}

/** Where the system names no limit (not Linux), there is none. Call it once, when everything is open that stays open. */
export function descriptorBudget(): DescriptorBudget {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    // Node raises its soft limit to the hard one when it starts.
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
    const used = readdirSync('/proc/self/fd').length;
    const refused = Math.min(MAX_REFUSED, Math.floor(limit / SHARE));
    const awaitingHeader = Math.min(MAX_AWAITING_HEADER, Math.floor(limit / SHARE));
    const free = limit - used - RESERVE - refused - awaitingHeader;
    return { limit, connections: Math.max(1, Math.floor(free / PER_CONNECTION)), refused, awaitingHeader };
  } catch {
    return {
      limit: Infinity,
      connections: Infinity,
      refused: MAX_REFUSED,
      awaitingHeader: MAX_AWAITING_HEADER,
    };
  }
}

/** The client, the backend, and for a moment after STARTTLS the backend session that ends. */
const PER_CONNECTION = 3;
/** For files that are read again, and children. */
const RESERVE = 32;
const MAX_REFUSED = 64;
const MAX_AWAITING_HEADER = 1_024;
/** Refused connections, and those without their PROXY header, take at most this part of the limit each. */
const SHARE = 16;
