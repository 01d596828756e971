/** Asks a backend for TLS in a session of our own making, up to the byte where TLS begins (RFC 3207, 4). */
import { ReplyReader, type Reply } from './reply.js';

export const STARTTLS_FAILURES = {
  backend_no_starttls: 'the backend does not offer STARTTLS',
  backend_starttls_refused: 'the backend offers STARTTLS, but refused it',
  backend_ehlo_refused: 'the backend refused our EHLO',
  backend_reply_broken: 'what the backend sent where it should reply is not an SMTP reply',
  backend_early_bytes: 'the backend sent more behind its reply to STARTTLS, in clear: response injection',
} as const;

export type StarttlsFailure = keyof typeof STARTTLS_FAILURES;

export interface StarttlsDialogueOutput {
  toBackend(bytes: Buffer): void;
  /** The next byte to the backend begins TLS; `greeting` is how the backend greeted, for a client that waits for it. */
  ready(greeting: Buffer): void;
  /** The backend greeted with a refusal, which is the client's to hear. */
  rejected(greeting: Buffer): void;
  /** `detail` is what the backend said, its words unescaped. */
  failed(reason: StarttlsFailure, detail: string): void;
}

export class StarttlsDialogue {
  readonly #hostname: string;
  readonly #output: StarttlsDialogueOutput;
  readonly #replies = new ReplyReader();
  #waitsFor: 'greeting' | 'ehlo' | 'starttls' | 'nothing' = 'greeting';
  #greeting: Buffer = Buffer.alloc(0);

  /** @param hostname what we call ourselves */
  constructor(hostname: string, output: StarttlsDialogueOutput) {
    this.#hostname = hostname;
    this.#output = output;
  }

  fromBackend(bytes: Buffer): void {
    this.#replies.push(bytes);
    while (!this.#isOver()) {
      const read = this.#replies.next();
      if (read === undefined) return;
      if ('violation' in read) this.#fail('backend_reply_broken', read.violation);
      else this.#reply(read.reply);
    }
  }

  #reply(reply: Reply): void {
    if (this.#waitsFor === 'greeting') this.#greeted(reply);
    else if (this.#waitsFor === 'ehlo') this.#saluted(reply);
    else this.#answered(reply);
  }

  #greeted(reply: Reply): void {
    this.#greeting = Buffer.concat(reply.lines);
    if (reply.code !== 220) {
      this.#waitsFor = 'nothing';
      this.#output.rejected(this.#greeting);
      return;
    }
    this.#waitsFor = 'ehlo';
    this.#output.toBackend(Buffer.from(`EHLO ${this.#hostname}\r\n`));
  }

  #saluted(reply: Reply): void {
    if (reply.code !== 250) {
      this.#fail('backend_ehlo_refused', words(reply));
    } else if (!reply.lines.slice(1).some((line) => OFFER.test(line.toString('latin1')))) {
      this.#fail('backend_no_starttls', '');
    } else {
      this.#waitsFor = 'starttls';
      this.#output.toBackend(Buffer.from('STARTTLS\r\n'));
    }
  }

  #answered(reply: Reply): void {
    if (reply.code !== 220) {
      this.#fail('backend_starttls_refused', words(reply));
    } else if (this.#replies.buffered > 0) {
      this.#fail('backend_early_bytes', '');
    } else {
      this.#waitsFor = 'nothing';
      this.#output.ready(this.#greeting);
    }
  }

  #fail(reason: StarttlsFailure, detail: string): void {
    this.#waitsFor = 'nothing';
    this.#output.failed(reason, detail);
  }

  /** As a method, because a callee may have moved on since the compiler last looked. */
  #isOver(): boolean {
    return this.#waitsFor === 'nothing';
  }
}

function words({ lines }: Reply): string {
  return lines.at(-1)!.toString('latin1').trimEnd();
}

const OFFER = /^\d{3}[ -]STARTTLS\s*$/i;
