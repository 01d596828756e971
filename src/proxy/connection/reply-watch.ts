/**
 * Where a dialogue stands, guessed from the bytes that pass, parsed or not: enough to know whether a word of ours would
 * come between a command and its reply.
 */
import { finalReplyCode } from '../../smtp/reply.js';

export class ReplyWatch {
  #answered: boolean | undefined;
  #backendLeaves = false;

  /** Whether the client has its reply to everything it said; undefined where it is TLS that passes, not SMTP. */
  get answered(): boolean | undefined {
    return this.#answered;
  }

  /** The backend has said that it closes; how it and the client do so is no failure any more. */
  get backendLeaves(): boolean {
    return this.#backendLeaves;
  }

  smtpBegins(): void {
    this.#answered = true;
  }

  tlsBegins(): void {
    this.#answered = undefined;
  }

  toBackend(): void {
    if (this.#answered !== undefined) this.#answered = false;
  }

  toClient(bytes: Buffer): void {
    if (this.#answered === undefined) return;
    const code = finalReplyCode(bytes);
    this.#answered = code !== undefined;
    this.#backendLeaves = code !== undefined && CLOSING_REPLIES.has(code);
  }
}

/** RFC 5321, 4.2.2: the service closes the transmission channel. */
const CLOSING_REPLIES = new Set([221, 421]);
