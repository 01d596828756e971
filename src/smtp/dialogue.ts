/** What a dialogue of our own with a backend begins with: its greeting, our EHLO, and the answers to both. */
import { lastLine, ReplyReader, wholeReply, type Reply } from './reply.js';

export const DIALOGUE_FAILURES = {
  backend_ehlo_refused: 'the backend refused our EHLO',
  backend_reply_broken: 'what the backend sent where it should reply is not an SMTP reply',
} as const;

export type DialogueFailure = keyof typeof DIALOGUE_FAILURES;

export interface DialogueOutput<Failure extends string> {
  toBackend(bytes: Buffer): void;
  /** `greeting` is how the backend greeted, for a client that waits for it. */
  ready(greeting: Buffer): void;
  /** The backend greeted with a refusal, which is the client's to hear. Nothing more may be said in this session. */
  rejected(greeting: Buffer): void;
  /** `detail` is what the backend said, its words unescaped. */
  failed(reason: Failure | DialogueFailure, detail: string): void;
}

/** What follows is the business of the classes below this one. */
export abstract class Dialogue<Failure extends string> {
  readonly #hostname: string;
  readonly #output: DialogueOutput<Failure>;
  readonly #replies = new ReplyReader();
  #waitsFor: 'greeting' | 'ehlo' | 'answer' | 'nothing' = 'greeting';
  #answered: (reply: Reply) => void = () => undefined;
  #greeting: Buffer = Buffer.alloc(0);

  /** @param hostname what we call ourselves */
  constructor(hostname: string, output: DialogueOutput<Failure>) {
    this.#hostname = hostname;
    this.#output = output;
  }

  /** The backend said 250 to our EHLO. */
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

  /** In a session that goes on, and in which the backend greeted before. */
  startWithEhlo(greeting: Buffer): void {
    this.#greeting = greeting;
    this.#waitsFor = 'ehlo';
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
    this.#waitsFor = 'answer';
    this.#answered = answered;
    this.#output.toBackend(Buffer.from(`${line}\r\n`, 'latin1'));
  }

  protected finish(greeting: Buffer): void {
    this.#waitsFor = 'nothing';
    this.#output.ready(greeting);
  }

  protected reject(greeting: Buffer): void {
    this.#waitsFor = 'nothing';
    this.#output.rejected(greeting);
  }

  protected fail(reason: Failure | DialogueFailure, detail: string): void {
    this.#waitsFor = 'nothing';
    this.#output.failed(reason, detail);
  }

  #reply(reply: Reply): void {
    if (this.#waitsFor === 'greeting') this.#greeted(reply);
    else if (this.#waitsFor === 'answer') this.#answered(reply);
    else if (reply.code === 250) this.ehloAccepted(reply);
    else this.fail('backend_ehlo_refused', lastLine(reply));
  }

  #greeted(reply: Reply): void {
    if (reply.code === 220) this.startWithEhlo(wholeReply(reply));
    else this.reject(wholeReply(reply));
  }

  /** As a method, because a callee may have moved on since the compiler last looked. */
  #isOver(): boolean {
    return this.#waitsFor === 'nothing';
  }
}
