/**
 * Whether a reply is outstanding, from the bytes that pass, parsed or not: enough to keep a reply of ours from coming
 * between a command and its own reply.
 */
import { finalReplyCode } from '../../smtp/reply.js';

export class ReplyTracker {
  #answered = true;
  /** Of the last reply. */
  #code = READY;
  /** The first bytes of a reply line that has not ended. */
  #begun = NOTHING;

  /** Whether the client has the reply to everything it sent. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Whether the backend leaves in the middle of a command or a message. */
  get owesReply(): boolean {
    return !this.#answered && !this.backendCloses;
  }

  /** Whether it is the client's turn, and the last reply was neither a refusal nor a farewell. */
  get awaitsCommand(): boolean {
    return this.#answered && this.#code < FIRST_REFUSAL && !this.backendCloses;
  }

  /** The backend has sent 221 or 421: however both sides close now, it is no failure. */
  get backendCloses(): boolean {
    return CLOSING_REPLIES.has(this.#code);
  }

  toBackend(): void {
    this.#answered = false;
  }

  toClient(bytes: Buffer): void {
    const reply = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes]);
    const code = finalReplyCode(reply);
    this.#answered = code !== undefined;
    this.#code = code ?? 0;
    const end = reply.lastIndexOf(LF) + 1;
    this.#begun = end === reply.length ? NOTHING : Buffer.from(reply.subarray(end, end + MARK_BYTES));
  }
}

const NOTHING = Buffer.alloc(0);
const LF = 0x0a;
/** The code of a reply line, and whether another line follows. */
const MARK_BYTES = 4;
/** As after the greeting. */
const READY = 220;
/** RFC 5321, 4.2.1: 4yz and 5yz. A backend that closes after one has said why. */
const FIRST_REFUSAL = 400;
/** RFC 5321, 4.2.2: the service closes the transmission channel. */
const CLOSING_REPLIES: ReadonlySet<number> = new Set([221, 421]);
