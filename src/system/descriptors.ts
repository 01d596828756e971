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
  const refused = descriptorShare(MAX_REFUSED);
  const awaitingHeader = descriptorShare(MAX_AWAITING_HEADER);
  try {
    const limit = openFilesLimit();
    const used = readdirSync('/proc/self/fd').length;
    const free = limit - used - RESERVE - refused - awaitingHeader - descriptorShare(MAX_ADMIN_CLIENTS);
    return { limit, connections: Math.max(1, Math.floor(free / PER_CONNECTION)), refused, awaitingHeader };
  } catch {
    return { limit: Infinity, connections: Infinity, refused, awaitingHeader };
  }
}

/** Open files that one process may have. @throws what the system says: not Linux, or no descriptor left to read it with */
export function openFilesLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  // Node raises its soft limit to the hard one when it starts.
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

/** What may be open at once of connections that stand outside the limits for clients. @param max where there is plenty */
export function descriptorShare(max: number): number {
  try {
    return Math.max(1, Math.min(max, Math.floor(openFilesLimit() / SHARE)));
  } catch {
    return max;
  }
}

/** The client, the backend, and for a moment after STARTTLS the backend session that ends. */
const PER_CONNECTION = 3;
/** For files that are read again, and children. */
const RESERVE = 32;
const MAX_REFUSED = 64;
const MAX_AWAITING_HEADER = 1_024;
/** Of the admin listener: a few browsers and scrapers. */
export const MAX_ADMIN_CLIENTS = 64;
/** Of the limit, for each kind. */
const SHARE = 16;
