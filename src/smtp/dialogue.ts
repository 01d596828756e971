/** The beginning of an SMTP session of our own with a backend: its greeting, our EHLO, and the reply to it. */
import { lastLine, ReplyReader, wholeReply, type Reply } from './reply.js';

export const DIALOGUE_FAILURES = {
  backend_ehlo_refused: 'the backend refused our EHLO',
  backend_reply_broken: 'the backend sent something that is not an SMTP reply',
} as const;

export type DialogueFailure = keyof typeof DIALOGUE_FAILURES;

export interface DialogueOutput<Failure extends string> {
  toBackend(bytes: Buffer): void;
  /** `greeting`: the backend's, for a client that waits for one. */
  ready(greeting: Buffer): void;
  /** The backend's greeting refuses the client, who should get it. Nothing more may be sent in this session. */
  rejected(greeting: Buffer): void;
  /** `detail`: the last line of the backend's reply, unescaped. */
  failed(reason: Failure | DialogueFailure, detail: string): void;
}

/** Subclasses decide what follows EHLO. */
export abstract class Dialogue<Failure extends string> {
  readonly #hostname: string;
  readonly #output: DialogueOutput<Failure>;
  readonly #replies = new ReplyReader();
  #awaits: 'greeting' | 'ehlo' | 'answer' | 'nothing' = 'greeting';
  #answered: (reply: Reply) => void = () => undefined;
  #greeting: Buffer = Buffer.alloc(0);

  /** @param hostname for our EHLO */
  constructor(hostname: string, output: DialogueOutput<Failure>) {
    this.#hostname = hostname;
    this.#output = output;
  }

  /** The backend replied 250 to our EHLO. */
  protected abstract ehloAccepted(reply: Reply): void;

  fromBackend(bytes: Buffer): void {
    this.#replies.push(bytes);
    while (!this.#isOver()) {
      const read = this.#replies.next();
      if (read === undefined) return;
      if ('violation' in read) this.fail('backend_reply_broken', read.violation);
      else this.#reply(read.reply);
    }
  }

  /** In a session in which the backend has greeted before. */
  startWithEhlo(greeting: Buffer): void {
    this.#greeting = greeting;
    this.#awaits = 'ehlo';
    this.#output.toBackend(Buffer.from(`EHLO ${this.#hostname}\r\n`));
  }

  protected get greeting(): Buffer {
    return this.#greeting;
  }

  /** Bytes behind the last reply. */
  protected get buffered(): number {
    return this.#replies.buffered;
  }

  protected ask(line: string, answered: (reply: Reply) => void): void {
    this.#awaits = 'answer';
    this.#answered = answered;
    this.#output.toBackend(Buffer.from(`${line}\r\n`, 'latin1'));
  }

  protected finish(greeting: Buffer): void {
    this.#awaits = 'nothing';
    this.#output.ready(greeting);
  }

  protected reject(greeting: Buffer): void {
    this.#awaits = 'nothing';
    this.#output.rejected(greeting);
  }

  protected fail(reason: Failure | DialogueFailure, detail: string): void {
    this.#awaits = 'nothing';
    this.#output.failed(reason, detail);
  }

  #reply(reply: Reply): void {
    if (this.#awaits === 'greeting') this.#greeted(reply);
    else if (this.#awaits === 'answer') this.#answered(reply);
    else if (reply.code === 250) this.ehloAccepted(reply);
    else this.fail('backend_ehlo_refused', lastLine(reply));
  }

  #greeted(reply: Reply): void {
    if (reply.code === 220) this.startWithEhlo(wholeReply(reply));
    else if (reply.code >= 400) this.reject(wholeReply(reply));
    // Neither opens the service nor refuses it (RFC 5321, 4.3.2): who took it for an acceptance would go on without TLS.
    else this.fail('backend_reply_broken', lastLine(reply));
  }

  /** As a method, because a callee may have changed the state since the compiler narrowed it. */
  #isOver(): boolean {
    return this.#awaits === 'nothing';
  }
}
