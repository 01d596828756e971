/** The options of a gate, and what it reports to its owner. */
import type { GateRefusal } from './gate-refusals.js';
import type { Reply } from './reply.js';
import type { ReplyTo } from './reply-queue.js';

export interface GateOptions {
  /** Stands in our own replies. */
  readonly hostname: string;
  /** In clear: `offer` ours, `pass` on the backend's, or `hide` it where policy wants that. `active` inside TLS. */
  readonly starttls: 'offer' | 'pass' | 'hide' | 'active';
  /**
   * `swallow` for a backend session that replaces one the client was greeted in (RFC 3207, 4.2), `none` where the
   * session goes on inside TLS.
   */
  readonly greeting: 'relay' | 'swallow' | 'none';
  readonly auth: 'offer' | 'withhold';
  /** Whether LF alone ends a command; the backend gets CRLF in any case. */
  readonly bareLf: 'accept' | 'reject';
}

export interface GateOutput {
  toClient(bytes: Buffer): void;
  toBackend(bytes: Buffer): void;
  /** The backend sent a reply, which is dealt with next. @param to what it is about; undefined where none was due */
  replied(to: ReplyTo | undefined, reply: Reply): void;
  /** Whether there may be a handshake now; if so, `startTls` follows, or `starttlsDeclined`. */
  mayStartTls(): boolean;
  /** The backend, which was asked, did not want it. */
  starttlsDeclined(): void;
  /** 220 went out: every further byte of the client's is TLS, and this gate is done. */
  startTls(): void;
  /** What was held back went out; from now on bytes pass both ways without this gate. */
  passThrough(): void;
  /** A transaction begins, and the gate goes on reading. */
  mailBegins(): void;
  /** Our last reply went out: close both sides. */
  refuse(reason: GateRefusal): void;
}

/** Of a gate that was stopped. */
export const NO_OUTPUT: GateOutput = {
  toClient: () => undefined,
  toBackend: () => undefined,
  replied: () => undefined,
  mayStartTls: () => false,
  starttlsDeclined: () => undefined,
  startTls: () => undefined,
  passThrough: () => undefined,
  mailBegins: () => undefined,
  refuse: () => undefined,
};
