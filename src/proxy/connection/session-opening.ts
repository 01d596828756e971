/** The kinds of backend session: before TLS, after it, with the backend's own STARTTLS, and with TLS passed through. */
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
  /** Bytes that the client sent before. */
  readonly early: Buffer;
  /** For the log: what the backend did not send before the timeout. */
  readonly due: string;
  readonly timeoutMs: number;
}

/** The sessions of one client. */
export class SessionOpenings {
  readonly #plan: ConnectionPlan;
  readonly #record: ConnectionRecord;
  #lastTarget: BackendTarget | undefined;

  constructor(plan: ConnectionPlan, record: ConnectionRecord) {
    this.#plan = plan;
    this.#record = record;
  }

  /** In clear: the client may ask for STARTTLS. */
  plaintext(): SessionOpening {
    return this.#opening(plaintextSession(this.#plan), undefined, this.#learn('clear'));
  }

  /** @param shown the certificate that the client got, if any */
  encrypted(tls: TlsInfo, shown: CertificateInfo | undefined): SessionOpening {
    return this.#opening(encryptedSession(this.#plan, tls), shown, this.#learn('tls'));
  }

  /** For the backend's own TLS. @param early the TLS bytes that the client has sent */
  passthrough(early: Buffer): SessionOpening {
    return { ...this.#opening({ security: 'none', gate: undefined }, undefined, undefined), early };
  }

  /** The backend sent 220 to the client's STARTTLS and waits for TLS, in the very session that the client began. */
  bridged(session: SocketChannel, tls: TlsInfo): SessionOpening {
    const { backend, limits } = this.#plan;
    return {
      attempt: ({ ready, failed }) => {
        const target = this.#lastTarget!;
        return backend.tls!.secure(session, target, {
          secured: (secured) => ready(secured, NOTHING, target),
          failed,
        });
      },
      early: NOTHING,
      gate: bridgedGate(this.#plan, tls),
      replied: undefined,
      due: 'the TLS of the backend',
      timeoutMs: limits.handshakeTimeout,
    };
  }

  /** Opens sessions for this client. @param shown the certificate that it got, if any */
  attempt(shown: CertificateInfo | undefined): (start: SessionStart) => Attempt {
    const identity = clientIdentity(this.#plan, this.#record, shown);
    return (start) => (handler) => {
      const ready: typeof handler.ready = (channel, greeting, target) => {
        this.#lastTarget = target;
        this.#record.backendSessions += 1;
        this.#record.backendAddress = targetText(target);
        handler.ready(channel, greeting, target);
      };
      const wanted = { ...start, identity, preferred: this.#lastTarget };
      return openBackendSession(this.#plan.backend, wanted, { ...handler, ready });
    };
  }

  #opening(
    { security, gate }: SessionPlan,
    shown: CertificateInfo | undefined,
    replied: SessionOpening['replied'],
  ): SessionOpening {
    const smtp = gate !== undefined;
    return {
      attempt: this.attempt(shown)({ security, smtp }),
      early: NOTHING,
      gate,
      replied,
      due: smtp ? 'its greeting' : 'its connection',
      timeoutMs: this.#plan.limits.greetingTimeout,
    };
  }

  #learn(security: 'clear' | 'tls'): SessionOpening['replied'] {
    return learnFrom(this.#plan.backend.learnt, security, this.#plan.client.address);
  }
}

const NOTHING = Buffer.alloc(0);
