/**
 * Whether a reply is outstanding, from the bytes that pass, parsed or not: enough to keep a reply of ours from coming
 * between a command and its own reply.
 */
import { finalReplyCode } from '../../smtp/reply.js';

export class ReplyTracker {
  #answered = true;
  #closing = false;

  /** Whether the client has the reply to everything it sent. */
  get answered(): boolean {
    return this.#answered;
  }

  /** The backend has sent 221 or 421: however both sides close now, it is no failure. */
  get backendCloses(): boolean {
    return this.#closing;
  }

  toBackend(): void {
    this.#answered = false;
  }

  toClient(bytes: Buffer): void {
    const code = finalReplyCode(bytes);
    this.#answered = code !== undefined;
    this.#closing = code !== undefined && CLOSING_REPLIES.has(code);
  }
}

/** RFC 5321, 4.2.2: the service closes the transmission channel. */
const CLOSING_REPLIES: ReadonlySet<number> = new Set([221, 421]);
