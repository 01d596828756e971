/** What a relay is made of, and what it reports to the owner of the connection. */
import type { ConnectionRecord } from '../../observe/connection-record.js';
import type { SessionTap } from '../../observe/tap/session-tap.js';
import type { GateOptions } from '../../smtp/gate-options.js';
import type { GateRefusal } from '../../smtp/gate-refusals.js';
import type { Reply } from '../../smtp/reply.js';
import type { ReplyTo } from '../../smtp/reply-queue.js';
import type { BackendChannel, Channel } from '../transport/channel.js';

/** @typeParam R the relay, so that an owner that changes its phase meanwhile can tell which one reports */
export interface RelayEvents<R> {
  /** Something came that restarts the idle timer. */
  active(): void;
  /** The backend has greeted; it is the client's turn. */
  greeted(relay: R): void;
  /** A transaction began, or bytes pass both ways unparsed from now on. */
  mailBegan(relay: R): void;
  /** Whether the limits allow a handshake; if so, `startTls` or `starttlsDeclined` follows. */
  mayStartTls(): boolean;
  starttlsDeclined(): void;
  /** 220 was sent: every further byte of the client's is TLS. */
  startTls(relay: R): void;
  /** The gate sent its last reply. */
  refused(reason: GateRefusal): void;
  /** The client ended before the backend greeted, and left nothing to deliver. */
  clientLeft(): void;
  /** The backend closed before it greeted, or between two commands without a reply that announces it. */
  backendLeft(reason: 'backend_closed' | 'backend_left'): void;
  /** The backend sends nothing more, and everything it sent was passed on. @param error where it broke off */
  backendEnded(error: Error | undefined): void;
  /** The backend sends nothing more, and owes the client a reply. */
  backendGone(): void;
  /**
   * @param error undefined also where a reset is no failure, because the connection was over already
   * @param isCut it broke off before the client had ended its side
   */
  clientClosed(error: Error | undefined, isCut: boolean): void;
  /** After `closeAfterReply`: the outstanding reply was passed on. */
  answered(): void;
}

/**
 * @param to what the reply is about; undefined where none was due
 * @param heloName what the client calls itself; its words, unescaped
 */
export type RepliedHandler = (to: ReplyTo | undefined, reply: Reply, heloName: string | undefined) => void;

/** What is read of a session. */
export interface RelayedSession {
  /** Undefined where another protocol passes, or TLS that is not ours to read. */
  readonly gate: GateOptions | undefined;
  /** Gets what the backend replies while a gate reads it. */
  readonly replied: RepliedHandler | undefined;
}

export interface RelayParts extends RelayedSession {
  readonly client: Channel;
  readonly backend: BackendChannel;
  readonly record: ConnectionRecord;
  /** Where TLS passes that is not ours to read: reads what is in clear. */
  readonly tap: SessionTap | undefined;
}
