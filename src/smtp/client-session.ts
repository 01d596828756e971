/** What a client has sent and was answered so far, as far as its next command depends on it. */
import { parseCommand } from './command.js';
import { commandAction, type CommandAction } from './command-rules.js';
import type { GateOptions } from './gate-options.js';
import type { ReplyQueue } from './reply-queue.js';

export class ClientSession {
  readonly #options: GateOptions;
  #heloName: string | undefined;
  #ehloAccepted = false;
  #offersChunking = false;
  #mailBegan = false;
  /** Commands that got an error reply of ours. */
  #errors = 0;
  /** A STARTTLS of the client's was refused. */
  starttlsRefused = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** What the client called itself in its last EHLO or HELO; its words, unescaped. */
  get heloName(): string | undefined {
    return this.#heloName;
  }

  get mailBegan(): boolean {
    return this.#mailBegan;
  }

  /**
   * What is to be done with the next command.
   * @param pipelined more bytes of the client's are here already
   * @param expected the replies that the client waits for
   */
  act(line: Buffer, pipelined: boolean, expected: ReplyQueue): CommandAction {
    const action = commandAction(line, this.#options, {
      ehloAccepted: this.#ehloAccepted,
      chunking: this.#offersChunking && expected.knowsExtensions,
      pipelined,
      outstanding: expected.length,
      mailBegan: this.#mailBegan,
    });
    if (action.kind === 'answer') {
      this.starttlsRefused ||= action.refusesTls === true;
      this.#errors += 1;
      if (this.#errors > MAX_ERRORS) return { kind: 'refuse', reason: 'too_many_errors' };
    }
    if (action.kind === 'forward') this.#forwarded(line, action.to);
    return action;
  }

  ehloAnswered({ accepted, chunking }: { readonly accepted: boolean; readonly chunking: boolean }): void {
    this.#offersChunking = chunking;
    this.#ehloAccepted ||= accepted;
  }

  #forwarded(line: Buffer, to: Extract<CommandAction, { kind: 'forward' }>['to']): void {
    if (to === 'ehlo' || to === 'helo') this.#heloName = parseCommand(line).argument;
    this.#mailBegan ||= to === 'mail';
  }
}

/** As in Postfix (smtpd_hard_error_limit): the backend does not see these errors, and cannot limit them. */
const MAX_ERRORS = 20;
