/** Every way in which a connection ends early: its log fields, and the reply to the client. */
import type { ListenerConfig } from '../../config/schema.js';
import { GATE_ADVICE } from '../../observe/advice.js';
import { explainNotTls } from '../../observe/explain.js';
import { sentence } from '../../observe/explained.js';
import type { Failure } from '../../observe/connection-record.js';
import { LIMITS, type LimitName } from '../../policy/limits.js';
import { GATE_REFUSALS, type GateRefusal } from '../../smtp/gate-refusals.js';
import type { OwnReply } from '../../smtp/replies.js';
import { BACKEND_ADVICE, BACKEND_FAILURES, type BackendFailure } from '../backend/backend-error.js';

export interface Ending {
  readonly failure: Failure;
  /** Undefined if the client already has a reply, or cannot read one. */
  readonly reply: OwnReply | undefined;
}

/** RFC 5321, 3.8. */
export const SHUTDOWN: Ending = { failure: { outcome: 'shutdown' }, reply: 'shutting_down' };

export const IDLE: Ending = {
  failure: { outcome: 'client_timeout', reason: 'idle' },
  reply: 'idle_for_too_long',
};

/** RFC 5321, 3.8: the client gets 421 and tries again later. */
export function backendFailure(
  outcome: 'backend_failed' | 'backend_timeout',
  reason: BackendFailure,
  meaning: string = BACKEND_FAILURES[reason],
): Ending {
  const explanation = sentence({ meaning, remedy: BACKEND_ADVICE[reason] });
  const fault = reason === 'backend_no_descriptor' ? 'proxy' : 'backend';
  return { failure: { outcome, reason, fault, explanation }, reply: 'backend_unavailable' };
}

/** The gate has sent the last reply itself. */
export function gateRefusal(reason: GateRefusal): Ending {
  const { fault, meaning } = GATE_REFUSALS[reason];
  const outcome = fault === 'client' ? 'smtp_refused' : 'backend_failed';
  const explanation = sentence({ meaning, remedy: GATE_ADVICE[reason] });
  return { failure: { outcome, reason, fault, explanation }, reply: undefined };
}

/** RFC 5321, 4.3.1: a client waits for the greeting. */
export function tooEarly(): Ending {
  return { ...gateRefusal('pipeline_too_deep'), reply: 'too_many_commands' };
}

/** A mail client can show the reply to its user. @param bytes the first ones */
export function plaintextInsteadOfTls(bytes: Buffer, mode: ListenerConfig['mode']): Ending {
  const smtp = mode === 'implicit' && SMTP_VERB.test(bytes.toString('latin1'));
  return {
    failure: { outcome: 'not_tls', reason: 'plaintext', explanation: explainNotTls('plaintext') },
    reply: smtp ? 'tls_from_first_byte' : undefined,
  };
}

export function overLimit(limit: LimitName): Failure {
  return { outcome: 'limit_exceeded', reason: limit, explanation: sentence(LIMITS[limit]) };
}

/** @param waitingFor what the client did not send */
export function clientGone(error: Error | undefined, waitingFor: string | undefined): Failure {
  if (error !== undefined) return { outcome: 'client_gone', reason: errorCode(error) };
  return { outcome: 'client_gone', reason: `waiting for ${waitingFor}` };
}

export function clientTimeout(waitingFor: string): Failure {
  return { outcome: 'client_timeout', reason: `waiting for ${waitingFor}` };
}

export function backendReset(error: Error): Failure {
  return { outcome: 'backend_failed', reason: errorCode(error) };
}

function errorCode(error: Error & { code?: string }): string {
  return error.code ?? error.name;
}

const SMTP_VERB = /^(?:EHLO|HELO|MAIL|QUIT|NOOP|STARTTLS|AUTH|RSET)\b/i;
