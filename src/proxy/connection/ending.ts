/** The ways in which we end a session with a client that can still hear it, each with its place in the log. */
import { GATE_ADVICE } from '../../observe/advice.js';
import { sentence } from '../../observe/explain.js';
import type { Failure } from '../../observe/connection-record.js';
import { GATE_REFUSALS, type GateRefusal } from '../../smtp/gate-refusals.js';
import { ownReply } from '../../smtp/replies.js';
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
    reply: ownReply('shutting_down', hostname).toString(),
  };
}

export function idle(hostname: string): Ending {
  return {
    failure: { outcome: 'client_timeout', reason: 'idle' },
    reply: ownReply('idle_for_too_long', hostname).toString(),
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
    reply: ownReply('backend_unavailable', hostname).toString(),
  };
}

/** The gate has said to the client what was to be said. */
export function gateRefusal(reason: GateRefusal): Ending {
  const { fault, meaning } = GATE_REFUSALS[reason];
  const outcome = fault === 'client' ? 'smtp_refused' : 'backend_failed';
  return {
    failure: { outcome, reason, fault, explanation: sentence({ meaning, remedy: GATE_ADVICE[reason] }) },
    reply: '',
  };
}
