/** File descriptors: how many connections the limit of this process allows. */
import { readdirSync, readFileSync } from 'node:fs';

export interface DescriptorBudget {
  /** The limit on open files of one process. */
  readonly limit: number;
  /** Connections that one process can have within the limit. */
  readonly connections: number;
  /** Refused connections that may still be open while their reply is sent. */
  readonly refused: number;
  /** Connections that may wait for their PROXY header. */
  readonly awaitingHeader: number;
}

/**
 * Without a known limit (not Linux), the result is unlimited. Call it once, after everything is open that stays open.
 */
export function descriptorBudget(): DescriptorBudget {
  const refused = descriptorShare(MAX_REFUSED);
  const awaitingHeader = descriptorShare(MAX_AWAITING_HEADER);
  try {
    const limit = openFilesLimit();
    const used = readdirSync('/proc/self/fd').length;
    const free =
      limit - used - RESERVED_DESCRIPTORS - refused - awaitingHeader - descriptorShare(MAX_ADMIN_CLIENTS);
    return {
      limit,
      connections: Math.max(1, Math.floor(free / DESCRIPTORS_PER_CONNECTION)),
      refused,
      awaitingHeader,
    };
  } catch {
    return { limit: Infinity, connections: Infinity, refused, awaitingHeader };
  }
}

/** The limit on open files. @throws a system error: not Linux, or no descriptor left to read it */
export function openFilesLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  // Node raises its soft limit to the hard one when it starts.
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

/** How many connections of a kind that no client limit counts may be open at once. @param max with many descriptors */
export function descriptorShare(max: number): number {
  try {
    return Math.max(1, Math.min(max, Math.floor(openFilesLimit() / SHARE)));
  } catch {
    return max;
  }
}

/** The client, the backend, and for a moment after STARTTLS the first backend session. */
const DESCRIPTORS_PER_CONNECTION = 3;
/** For files that are reloaded, and child processes. */
const RESERVED_DESCRIPTORS = 32;
const MAX_REFUSED = 64;
const MAX_AWAITING_HEADER = 1_024;
/** Connections of the admin listener: a few browsers and scrapers. */
export const MAX_ADMIN_CLIENTS = 64;
/** Each kind gets this part of the limit: 1/16. */
const SHARE = 16;
