/**
 * Relays SMTP between a client and a backend while oldhello must parse it. In clear it offers and answers STARTTLS in
 * place of the backend; inside TLS it removes extensions that the backend must not offer.
 *
 * If the client may log in, parsing stops at MAIL, AUTH, DATA or BDAT. Later bytes are relayed unparsed, so that there is
 * no second parser for SMTP smuggling. If logins are refused, parsing never stops: only commands with unambiguous syntax
 * are relayed, and the content of mail unchanged, up to an end on which all servers agree.
 */
import { ClientSession } from './client-session.js';
import { ClientStream } from './client-stream.js';
import { NO_OUTPUT, type GateOptions, type GateOutput } from './gate-options.js';
import type { GatePhase } from './gate-phase.js';
import { GATE_REFUSALS, type GateRefusal } from './gate-refusals.js';
import { RefusedSession } from './refused-session.js';
import { ownReply, type OwnReply } from './replies.js';
import { ReplyReader, type Reply } from './reply.js';
import { ReplyQueue, type ReplyTo } from './reply-queue.js';
import { DISMISSALS, replyAction, SERVICE_CLOSING, type ReplyConsequence } from './reply-rules.js';

export class Gate {
  readonly #options: GateOptions;
  #output: GateOutput;
  readonly #client: ClientStream;
  readonly #session: ClientSession;
  readonly #replies = new ReplyReader();
  readonly #expected = new ReplyQueue();
  #phase: GatePhase = 'reading';
  /** The command that the phase is about: STARTTLS, or one that ends parsing. */
  #line: Buffer | undefined;
  #refused: RefusedSession | undefined;
  readonly #reply = (own: OwnReply): void => this.#output.toClient(ownReply(own, this.#options.hostname));

  constructor(options: GateOptions, output: GateOutput) {
    this.#options = options;
    this.#output = output;
    this.#client = new ClientStream(options);
    this.#session = new ClientSession(options);
    if (options.greeting !== 'none') this.#expected.expectBackend('greeting');
  }

  /** The argument of the client's last EHLO or HELO, not sanitized. */
  get heloName(): string | undefined {
    return this.#session.heloName;
  }

  /** False until the backend has greeted. */
  get greeted(): boolean {
    return this.#expected.nextFromBackend !== 'greeting';
  }

  /** A transaction has begun, and the gate still reads: for timeouts and shutdown, this is mail. */
  get mailBegan(): boolean {
    return this.#session.mailBegan;
  }

  /** The backend has not yet greeted, or not yet replied to a command. */
  get awaitsBackend(): boolean {
    return this.#replies.lastCode !== SERVICE_CLOSING && this.#expected.awaitsBackend;
  }

  /** Commands of the client are not yet sent to the backend. */
  get holdsBack(): boolean {
    const waits = !this.greeted || this.#phase === 'awaiting_354';
    return this.#phase === 'holding' || (waits && this.#client.buffered > 0);
  }

  /** The client's last reply is due, and what it still sends is discarded. */
  get refusing(): boolean {
    return this.#phase === 'refusing';
  }

  fromClient(bytes: Buffer): void {
    if (this.#phase === 'done' || this.#phase === 'refusing' || bytes.length === 0) return;
    if (this.#phase === 'awaiting_starttls') this.#refuseInTurn('starttls_pipelined');
    else if (this.#phase === 'reading' && this.#client.isClientHello(bytes)) {
      this.#refuseInTurn(this.#session.starttlsRefused ? 'tls_despite_refusal' : 'tls_without_starttls');
    } else {
      this.#client.push(bytes);
      this.#readClient();
    }
  }

  fromBackend(bytes: Buffer): void {
    if (this.#phase === 'done') return;
    this.#replies.push(bytes);
    while (!this.#isIn('done')) {
      const read = this.#replies.next();
      if (read === undefined) break;
      if ('violation' in read) this.#refuse(read.violation);
      else this.#relayReply(read.reply);
    }
  }

  /** The backend has closed its side. A client that waits for a reply gets one. */
  backendEnds(): void {
    if (this.#phase === 'done') return;
    if (this.#refused?.end() === true) this.#refuse('backend_unavailable');
    else if (this.awaitsBackend)
      this.#refuse(DISMISSALS.has(this.#replies.lastCode) ? 'client_dismissed' : 'backend_gone');
  }

  /** Nothing more is reported, not even by what runs now. */
  stop(): void {
    this.#phase = 'done';
    this.#output = NO_OUTPUT;
    this.#client.takeRest();
    this.#replies.takeRest();
  }

  /** RFC 5321, 4.3.1: a client waits for the greeting; what comes earlier is kept, and bounded. */
  #readClient(): void {
    while (this.#isIn('reading') && this.greeted) {
      const part = this.#client.next();
      if (part === undefined) return;
      if ('violation' in part) this.#refuseInTurn(part.violation);
      else if ('line' in part) this.#act(part.line);
      else if (part.content.length > 0) this.#output.toBackend(part.content);
    }
    if (this.#isIn('refused')) {
      if (this.#refused!.answer(this.#client)) this.#refuse('backend_unavailable');
    } else if (!this.#isIn('done') && this.#client.overflows) this.#refuseInTurn('pipeline_too_deep');
  }

  #act(line: Buffer): void {
    const action = this.#session.act(line, this.#client.buffered > 0, this.#expected);
    switch (action.kind) {
      case 'forward':
        if (action.to === 'data') this.#phase = 'awaiting_354';
        if (action.to === 'mail') this.#output.mailBegins();
        this.#forward(line, action.to === 'mail' ? 'other' : action.to);
        return;
      case 'answer':
        this.#expected.expectOwn(action.reply);
        this.#settle();
        return;
      case 'chunk':
        this.#client.beginChunk(action.size);
        this.#forward(line, 'other');
        return;
      case 'starttls':
      case 'stop_parsing':
        this.#phase = action.kind === 'starttls' ? 'awaiting_starttls' : 'holding';
        this.#line = line;
        this.#expected.expectLast(action.kind);
        this.#settle();
        return;
      case 'refuse':
        this.#refuseInTurn(action.reason);
    }
  }

  #forward(line: Buffer, to: ReplyTo): void {
    this.#expected.expectBackend(to);
    this.#output.toBackend(line);
  }

  #relayReply(reply: Reply): void {
    const to = this.#expected.nextFromBackend;
    this.#output.replied(to, reply);
    const action = replyAction(reply, to, this.#options, {
      moreFollows: this.#replies.buffered > 0,
      content: this.#client.contentState,
    });
    this.#expected.shiftBackend();
    if (action.then?.kind === 'start_tls') this.#phase = 'done';
    if (action.toClient !== undefined) this.#output.toClient(action.toClient);
    if (action.then !== undefined) this.#follow(action.then);
    this.#settle();
    this.#readClient();
  }

  #follow(consequence: ReplyConsequence): void {
    switch (consequence.kind) {
      case 'refused_by_greeting':
        this.#refused = new RefusedSession(this.#options.hostname, this.#output, consequence.greeting);
        this.#phase = 'refused';
        return;
      case 'ehlo_answered':
        this.#session.ehloAnswered(consequence);
        return;
      case 'start_tls':
        this.#output.startTls();
        return;
      case 'starttls_declined':
        this.#phase = 'reading';
        this.#session.starttlsRefused = true;
        this.#output.starttlsDeclined();
        return;
      case 'content_begins':
        this.#client.beginData();
        this.#expected.expectBackend('content');
        this.#phase = 'reading';
        return;
      case 'commands_follow':
        this.#client.endContent();
        this.#phase = 'reading';
        return;
      case 'refuse':
        this.#refuse(consequence.reason);
    }
  }

  /** Sends our own replies that are next in order, and continues a step that waits until all replies are sent. */
  #settle(): void {
    if (this.#phase === 'done') return;
    const next = this.#expected.sendOwn(this.#reply);
    if (next === 'starttls') this.#startTls();
    else if (next === 'stop_parsing') this.#stopParsing();
    else if (next !== undefined) this.#refuse(next);
  }

  /** All earlier replies are sent. With its own TLS, the backend accepts or refuses STARTTLS. */
  #startTls(): void {
    if (!this.#output.mayStartTls()) this.#refuse('starttls_not_now');
    else if (this.#options.starttls === 'pass') this.#forward(this.#line!, 'starttls');
    else {
      this.#phase = 'done';
      this.#reply('ready_for_tls');
      this.#output.startTls();
    }
  }

  /** Only without outstanding replies, because one of them may have to be changed. */
  #stopParsing(): void {
    this.#phase = 'done';
    const rest = this.#client.takeRest();
    const backend = this.#replies.takeRest();
    this.#output.toBackend(this.#line!);
    if (rest.length > 0) this.#output.toBackend(rest);
    if (backend.length > 0) this.#output.toClient(backend);
    this.#output.passThrough();
  }

  /** A refusal that overtakes the reply to a message would pass for it, and the backend may have taken the message. */
  #refuseInTurn(reason: GateRefusal): void {
    this.#phase = 'refusing';
    this.#expected.refuse(reason, this.#client.contentState);
    this.#client.takeRest();
    this.#settle();
  }

  #refuse(reason: GateRefusal): void {
    this.#phase = 'done';
    const { reply } = GATE_REFUSALS[reason];
    if (reply !== undefined) this.#reply(reply);
    this.#output.refuse(reason);
  }

  /** As a method, because a callee may have changed the phase since the compiler narrowed it. */
  #isIn(phase: GatePhase): boolean {
    return this.#phase === phase;
  }
}
