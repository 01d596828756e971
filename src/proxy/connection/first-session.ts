/** Learns the replies of a backend from its sessions, and makes sessions of clients that get learnt replies. */
import { guarded } from '../../observe/guard.js';
import type { GateOptions } from '../../smtp/gate-options.js';
import { offersLogin } from '../../smtp/learnt-ehlo.js';
import { isPlainName } from '../../smtp/learnt-session.js';
import type { LearntReplies, SessionReplies } from '../../smtp/learnt-replies.js';
import type { BackendFailure } from '../backend/backend-error.js';
import { DeferredBackend } from '../backend/deferred-backend.js';
import type { BackendPlan } from '../backend/open-session.js';
import * as ending from './ending.js';
import type { Attempt } from './opening.js';
import type { ConnectionPlan } from './plan.js';
import type { RepliedHandler } from './relay-events.js';

/**
 * Learns from a session that begins now, up to the reply to its first command, if that is EHLO.
 * @param security whether the client has TLS
 * @param source the address of the client
 */
export function learnFrom(
  learnt: LearntReplies | undefined,
  security: 'clear' | 'tls',
  source: string,
): RepliedHandler | undefined {
  if (learnt === undefined) return undefined;
  const started = performance.now();
  let over = false;
  return (to, reply, heloName) => {
    if (over) return;
    // A backend may offer other extensions after other commands.
    over = to !== 'greeting';
    const now = performance.now();
    guarded('what is learnt of a backend', () => {
      if (to === 'greeting') learnt.greeted(reply, now - started, now, source);
      // Every server may refuse a malformed name.
      else if (to === 'ehlo' && (reply.code === 250 || isPlainName(heloName ?? ''))) {
        learnt.ehloAnswered(security, reply, now);
      }
    });
  };
}

/**
 * The learnt replies for the client now; undefined if its session must be live. A backend may offer logins in clear
 * only to some clients, such as oldhello, so a learnt reply never offers them.
 */
export function learntFor(
  { learnt }: Pick<BackendPlan, 'learnt'>,
  gate: GateOptions | undefined,
): SessionReplies | undefined {
  const replies = learnt?.replies(performance.now());
  return replies !== undefined && gate?.auth === 'offer' && offersLogin(replies.ehlo) ? undefined : replies;
}

export interface DeferredOwner {
  opening(): void;
  ready(): void;
  /** @param reply the backend's, instead of ours */
  ended(ended: ending.Ending, reply?: Buffer): void;
}

/** The backend of a client that gets learnt replies, until it needs a backend session. */
export function deferBackend(
  { backend: { learnt }, client }: ConnectionPlan,
  replies: SessionReplies,
  attempt: Attempt,
  owner: DeferredOwner,
): DeferredBackend {
  let replied: RepliedHandler | undefined;
  const failed = (reason: BackendFailure, message?: string): void => {
    learnt?.forget();
    owner.ended(ending.backendFailure('backend_failed', reason, message));
  };
  return new DeferredBackend(replies, attempt, {
    opening: () => {
      replied = learnFrom(learnt, 'clear', client.address);
      owner.opening();
    },
    ready: () => owner.ready(),
    replied: (to, reply, heloName) => replied?.(to, reply, heloName),
    refused: (reply) => owner.ended(ending.backendFailure('backend_failed', 'backend_refused'), reply),
    failed,
  });
}
