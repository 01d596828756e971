/** [limits] for programs in front of which every client falls silent at the same time. */
import type { Table } from '../proxy-config.js';
import { STALL_CASES } from './cases.js';

/** Longer than all clients together take to come where they fall silent. */
export const TIMEOUT_MS = 5_000;
/** Every timeout, where timeouts end it. */
export const SHORT_TIMEOUTS: Table = Object.fromEntries(
  ['handshake', 'greeting', 'command', 'idle', 'tcp-idle'].map((of) => [`${of}-timeout`, `${TIMEOUT_MS}ms`]),
);

export const SHUTDOWN_TIMEOUT_MS = 500;
export const SHORT_SHUTDOWN: Table = { 'shutdown-timeout': `${SHUTDOWN_TIMEOUT_MS}ms` };

const COUNT = STALL_CASES.length;

/** Just enough for all cases at once, so that a connection that keeps a place takes it from the next. */
export function placesFor(workers: number): Table {
  return {
    'max-connections': COUNT,
    'max-connections-per-address': COUNT,
    // Each worker gets the same share of them, and not quite the same number of clients.
    'max-handshakes': workers === 1 ? COUNT : Math.ceil(1.3 * COUNT),
  };
}
