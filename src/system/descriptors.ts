/** File descriptors: how many connections the limit of this process is enough for. */
import { readdirSync, readFileSync } from 'node:fs';

export interface DescriptorBudget {
  /** Open files that one process may have. */
  readonly limit: number;
  /** Connections that one process can run without running out. */
  readonly connections: number;
}

/** Where the system does not say (not Linux), there is no limit. Call it once everything is open that stays open. */
export function descriptorBudget(): DescriptorBudget {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    // Node raises its soft limit to the hard one when it starts.
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
    const free = limit - readdirSync('/proc/self/fd').length - RESERVE;
    return { limit, connections: Math.max(1, Math.floor(free / PER_CONNECTION)) };
  } catch {
    return { limit: Infinity, connections: Infinity };
  }
}

/** The client, the backend, and for a moment after STARTTLS the backend session that ends. */
const PER_CONNECTION = 3;
/** For clients that are turned away, files that are read again, and children. */
const RESERVE = 32;
