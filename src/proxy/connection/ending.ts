/** The ways in which we end a session with a client that can still hear it, each with its place in the log. */
import { sentence } from '../../observe/explain.js';
import type { Failure } from '../../observe/connection-record.js';
import { GATE_REFUSALS, type GateRefusal } from '../../smtp/gate-refusals.js';
import { BACKEND_ADVICE, type BackendFailure } from '../backend/backend-error.js';

export interface Ending {
  readonly failure: Failure;
  /** What the client hears, line end included; empty where it has had its reply. */
  readonly reply: string;
}

/** RFC 5321, 3.8. */
export function shutdown(hostname: string): Ending {
  return {
    failure: { outcome: 'shutdown' },
    reply: `421 4.3.2 ${hostname} is shutting down, try again later\r\n`,
  };
}

export function idle(hostname: string): Ending {
  return {
    failure: { outcome: 'client_timeout', reason: 'idle' },
    reply: `421 4.4.2 ${hostname} no command for too long, closing\r\n`,
  };
}

/** RFC 5321, 3.8: the client hears 421 and tries again later. */
export function backendFailure(
  hostname: string,
  outcome: 'backend_failed' | 'backend_timeout',
  reason: BackendFailure,
  meaning: string,
): Ending {
  return {
    failure: { outcome, reason, explanation: sentence({ meaning, remedy: BACKEND_ADVICE[reason] }) },
    reply: `421 4.3.0 ${hostname} mail system is not available, try again later\r\n`,
  };
}

/** The gate has said to the client what was to be said. */
export function gateRefusal(reason: GateRefusal): Ending {
  const { fault } = GATE_REFUSALS[reason];
  const outcome = fault === 'client' ? 'smtp_refused' : 'backend_failed';
  return { failure: { outcome, reason, fault, explanation: sentence(GATE_REFUSALS[reason]) }, reply: '' };
}
