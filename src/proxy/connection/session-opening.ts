/** The ways to a backend session: before TLS, after it, on the backend's own STARTTLS, and past our TLS. */
import type { CertificateInfo } from '../../credentials/certificate-info.js';
import type { ConnectionRecord, TlsInfo } from '../../observe/connection-record.js';
import { openBackendSession } from '../backend/failover.js';
import type { SessionStart } from '../backend/open-session.js';
import { targetText, type BackendTarget } from '../backend/target.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { learnFrom } from './first-session.js';
import type { Attempt } from './opening.js';
import {
  bridgedGate,
  clientIdentity,
  encryptedSession,
  plaintextSession,
  type ConnectionPlan,
  type SessionPlan,
} from './plan.js';
import type { RelayedSession } from './relay-events.js';

export interface SessionOpening extends RelayedSession {
  readonly attempt: Attempt;
  /** What the client sent before. */
  readonly early: Buffer;
  /** What is missing when it takes too long. */
  readonly due: string;
  readonly timeoutMs: number;
}

/** In clear: the client may ask for STARTTLS. */
export function plaintextOpening(plan: ConnectionPlan, record: ConnectionRecord): SessionOpening {
  const { learnt } = plan.backend;
  return newSession(
    plan,
    plaintextSession(plan),
    newAttempt(plan, record, undefined),
    learnFrom(learnt, 'clear', plan.client.address),
  );
}

/** @param shown the certificate that the client got, if any */
export function encryptedOpening(
  plan: ConnectionPlan,
  record: ConnectionRecord,
  tls: TlsInfo,
  shown: CertificateInfo | undefined,
): SessionOpening {
  const { learnt } = plan.backend;
  return newSession(
    plan,
    encryptedSession(plan, tls),
    newAttempt(plan, record, shown),
    learnFrom(learnt, 'tls', plan.client.address),
  );
}

/** The backend's own TLS is to serve the client. @param early what the client sent of its TLS */
export function passthroughOpening(
  plan: ConnectionPlan,
  record: ConnectionRecord,
  early: Buffer,
): SessionOpening {
  const session: SessionPlan = { security: 'none', gate: undefined };
  return { ...newSession(plan, session, newAttempt(plan, record, undefined), undefined), early };
}

/** The backend sent 220 to the client's STARTTLS and waits for TLS, in the very session that the client began. */
export function bridgedOpening(plan: ConnectionPlan, session: SocketChannel, tls: TlsInfo): SessionOpening {
  const { backend, limits } = plan;
  return {
    attempt: ({ ready, failed }) => {
      const target = LAST_TARGETS.get(plan)!;
      return backend.tls!.secure(session, target, {
        secured: (secured) => ready(secured, NOTHING, target),
        failed,
      });
    },
    early: NOTHING,
    gate: bridgedGate(plan, tls),
    replied: undefined,
    due: 'the TLS of the backend',
    timeoutMs: limits.handshakeTimeout,
  };
}

/** Makes sessions for this client. @param shown the certificate that it got, if any */
export function newAttempt(
  plan: ConnectionPlan,
  record: ConnectionRecord,
  shown: CertificateInfo | undefined,
): (start: SessionStart) => Attempt {
  const identity = clientIdentity(plan, record, shown);
  return (start) => (handler) => {
    const ready: typeof handler.ready = (channel, greeting, target) => {
      LAST_TARGETS.set(plan, target);
      record.backendSessions += 1;
      record.backendAddress = targetText(target);
      handler.ready(channel, greeting, target);
    };
    const wanted = { ...start, identity, preferred: LAST_TARGETS.get(plan) };
    return openBackendSession(plan.backend, wanted, { ...handler, ready });
  };
}

function newSession(
  { limits }: ConnectionPlan,
  { security, gate }: SessionPlan,
  attempt: (start: SessionStart) => Attempt,
  replied: SessionOpening['replied'],
): SessionOpening {
  const smtp = gate !== undefined;
  return {
    attempt: attempt({ security, smtp }),
    early: NOTHING,
    gate,
    replied,
    due: smtp ? 'its greeting' : 'its connection',
    timeoutMs: limits.greetingTimeout,
  };
}

/** Where the last session of a connection was, by the plan of the connection. */
const LAST_TARGETS = new WeakMap<ConnectionPlan, BackendTarget>();
const NOTHING = Buffer.alloc(0);
