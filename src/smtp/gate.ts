/**
 * What stands between a client and a backend until nothing needs to be understood any more. In front of TLS it offers
 * STARTTLS in the backend's place and answers it itself; behind TLS it only hides what the backend must not offer. It
 * keeps replies in order by counting commands, and stops parsing at the first chance: a transaction that begins, or the
 * reply to EHLO inside TLS, unless a login is still to be refused there. From then on it is a blind pipe, which adds no
 * parser to smuggle past.
 *
 * A client's own XCLIENT or XFORWARD is refused while the gate looks. When it no longer does, what keeps them harmless
 * is how the backend learns of clients: a PROXY header comes before SMTP, and after our own XCLIENT the backend asks
 * whether the client's address may send another.
 */
import { parseCommand, MAX_COMMAND_LINE, type Command } from './command.js';
import { GATE_REFUSALS, type GateRefusal } from './gate-refusals.js';
import { LineReader } from './line-reader.js';
import { ReplyReader, rewriteEhloReply, type Reply } from './reply.js';

export interface GateOptions {
  /** Stands in our own replies. */
  readonly hostname: string;
  /** In front of TLS: `offer` ours, `pass` on the backend's, or `hide` it where policy says so. `active` behind TLS. */
  readonly starttls: 'offer' | 'pass' | 'hide' | 'active';
  /**
   * `swallow` for a backend session that replaces one the client was greeted in (RFC 3207, 4.2), `none` where the
   * session goes on inside TLS.
   */
  readonly greeting: 'relay' | 'swallow' | 'none';
  readonly auth: 'offer' | 'withhold';
}

export interface GateOutput {
  toClient(bytes: Buffer): void;
  toBackend(bytes: Buffer): void;
  /** Whether there may be a handshake now; if so, `startTls` follows, or `starttlsDeclined`. */
  mayStartTls(): boolean;
  /** The backend, which was asked, did not want it. */
  starttlsDeclined(): void;
  /** 220 went out: every further byte of the client's is TLS, and this gate is done. */
  startTls(): void;
  /** What was held back went out; from now on bytes pass both ways without this gate. */
  passThrough(): void;
  /** Our last reply went out: close both sides. */
  refuse(reason: GateRefusal): void;
}

/** What the client waits for, in order: the backend's replies, and ours in between. */
type Expected =
  | { readonly from: 'backend'; readonly to: 'greeting' | 'ehlo' | 'helo' | 'starttls' | 'other' }
  | { readonly from: 'gate'; readonly reply: string }
  | { readonly from: 'gate'; readonly reply: 'starttls' };

/** `rejected`: the backend's greeting refuses the client, and the client is to hear it; `closing`: it has heard it. */
type State = 'parsing' | 'awaiting_starttls' | 'holding' | 'rejected' | 'closing' | 'done';

export class Gate {
  readonly #options: GateOptions;
  readonly #output: GateOutput;
  readonly #commands = new LineReader(MAX_COMMAND_LINE);
  readonly #replies = new ReplyReader();
  readonly #expected: Expected[];
  #state: State = 'parsing';
  /** A command that ends parsing, to be forwarded once every reply before it is out. */
  #held: Buffer | undefined;
  /** STARTTLS as the client wrote it, for a backend that answers it itself. */
  #starttlsLine: Buffer | undefined;
  #rejection: Reply | undefined;
  /** The backend said 421: it owes nothing more. */
  #dismissed = false;
  #refusals = 0;
  #heloName: string | undefined;
  #saluted = false;

  constructor(options: GateOptions, output: GateOutput) {
    this.#options = options;
    this.#output = output;
    this.#expected = options.greeting === 'none' ? [] : [{ from: 'backend', to: 'greeting' }];
  }

  /** What the client called itself in its last EHLO or HELO; its words, unescaped. */
  get heloName(): string | undefined {
    return this.#heloName;
  }

  /** False until the backend has greeted. */
  get greeted(): boolean {
    const [first] = this.#expected;
    return !(first?.from === 'backend' && first.to === 'greeting');
  }

  /** The client's turn has not come: the backend has not yet greeted, or not yet answered. */
  get awaitsBackend(): boolean {
    return !this.#dismissed && this.#expected.some(({ from }) => from === 'backend');
  }

  /** Commands of the client's are still to be passed on. */
  get holdsBack(): boolean {
    return this.#state === 'holding' || (this.#commands.buffered > 0 && !this.greeted);
  }

  fromClient(bytes: Buffer): void {
    if (this.#state === 'done') return;
    if (this.#state === 'awaiting_starttls') {
      this.#refuse('starttls_pipelined');
      return;
    }
    this.#commands.push(bytes);
    this.#readCommands();
  }

  fromBackend(bytes: Buffer): void {
    if (this.#state === 'done') return;
    this.#replies.push(bytes);
    while (!this.#isDone()) {
      const read = this.#replies.next();
      if (read === undefined) break;
      if ('violation' in read) this.#refuse(read.violation);
      else this.#relayReply(read.reply);
    }
  }

  /** The backend sends nothing more. A client that waits for a reply, or is to hear of a refusal, is told. */
  backendEnds(): void {
    if (this.#state === 'rejected') {
      this.#output.toClient(Buffer.concat(this.#rejection!.lines));
      this.#refuse('backend_unavailable');
    } else if (this.#state !== 'done' && this.awaitsBackend) this.#refuse('backend_gone');
  }

  // ---- commands ----

  /** RFC 5321, 4.3.1: a client waits for the greeting; what comes earlier is kept, and bounded. */
  #readCommands(): void {
    while (this.#state === 'parsing' && this.greeted) {
      const read = this.#commands.next();
      if (read === undefined) return;
      if ('violation' in read) this.#refuse(read.violation);
      else this.#command(read.line);
    }
    if (this.#state === 'rejected' || this.#state === 'closing') this.#refuseCommands();
    else if (!this.#isDone() && this.#commands.buffered > MAX_HELD) this.#refuse('pipeline_too_deep');
  }

  #command(line: Buffer): void {
    if (this.#expected.length >= MAX_OUTSTANDING) {
      this.#refuse('pipeline_too_deep');
      return;
    }
    const command = parseCommand(line);
    switch (command.verb) {
      case 'EHLO':
      case 'HELO':
        this.#heloName = command.argument;
        this.#forward(line, command.verb === 'EHLO' ? 'ehlo' : 'helo');
        return;
      case 'STARTTLS':
        this.#starttls(command, line);
        return;
      case 'XCLIENT':
      case 'XFORWARD':
      case 'PROXY':
        this.#answer(`550 5.7.0 ${this.#options.hostname} ${command.verb} is not for you`);
        return;
      case 'MAIL':
        // Before EHLO it is an error for the backend to point out, and the reply to EHLO is still to be rewritten.
        if (this.#saluted) this.#stopAfter(line);
        else this.#forward(line, 'other');
        return;
      case 'AUTH':
        // RFC 4954, 6: what is not offered here is not taken either, before a password has gone any further.
        if (this.#options.auth === 'offer') this.#stopAfter(line);
        else this.#answer(`538 5.7.11 ${this.#options.hostname} AUTH needs better encryption`);
        return;
      case 'DATA':
      case 'BDAT':
        this.#stopAfter(line);
        return;
      default:
        this.#forward(line, 'other');
    }
  }

  /** What follows this command need not be commands. */
  #stopAfter(line: Buffer): void {
    this.#state = 'holding';
    this.#held = line;
    this.#settle();
  }

  /** RFC 3207, 4. */
  #starttls({ argument }: Command, line: Buffer): void {
    const { hostname, starttls } = this.#options;
    if (starttls === 'active') this.#answer(`503 5.5.1 ${hostname} TLS is active already`);
    else if (starttls === 'hide') this.#answer(`502 5.5.1 ${hostname} STARTTLS is not offered`);
    else if (argument !== '') this.#answer(`501 5.5.4 ${hostname} STARTTLS takes no parameter`);
    else if (this.#commands.buffered > 0) this.#refuse('starttls_pipelined');
    else {
      this.#state = 'awaiting_starttls';
      this.#starttlsLine = line;
      this.#expected.push({ from: 'gate', reply: 'starttls' });
      this.#settle();
    }
  }

  #forward(line: Buffer, to: 'ehlo' | 'helo' | 'starttls' | 'other'): void {
    this.#expected.push({ from: 'backend', to });
    this.#output.toBackend(line);
  }

  #answer(reply: string): void {
    this.#expected.push({ from: 'gate', reply: `${reply}\r\n` });
    this.#settle();
  }

  // ---- replies ----

  #relayReply(reply: Reply): void {
    this.#dismissed = reply.code === 421;
    const expected = this.#expected[0];
    if (expected?.from !== 'backend') {
      // RFC 5321, 3.8: 421 may come at any time, and the backend closes behind it.
      if (reply.code === 421) this.#output.toClient(Buffer.concat(reply.lines));
      else this.#refuse('reply_unexpected');
      return;
    }
    this.#expected.shift();
    if (expected.to === 'starttls') {
      this.#relayStarttlsReply(reply);
      return;
    }
    if (expected.to === 'greeting') this.#relayGreeting(reply);
    else this.#output.toClient(this.#asClientSees(reply, expected.to));
    this.#settle();
    if ((expected.to === 'ehlo' || expected.to === 'helo') && reply.code === 250) {
      this.#saluted = true;
      if (this.#options.starttls === 'active' && this.#options.auth === 'offer') this.#stopParsing();
    }
    this.#readCommands();
  }

  #asClientSees(reply: Reply, to: 'ehlo' | 'helo' | 'other'): Buffer {
    if (to !== 'ehlo' || reply.code !== 250) return Buffer.concat(reply.lines);
    const { starttls, auth } = this.#options;
    const rewrite = starttls === 'offer' ? 'replace' : starttls === 'pass' ? 'keep' : 'remove';
    return rewriteEhloReply(reply, { starttls: rewrite, withholdAuth: auth === 'withhold' });
  }

  /** What the backend says behind its 220 could only be clear text meant to be taken for TLS. */
  #relayStarttlsReply(reply: Reply): void {
    if (reply.code === 220 && this.#replies.buffered > 0) {
      this.#refuse('reply_unexpected');
      return;
    }
    this.#state = reply.code === 220 ? 'done' : 'parsing';
    this.#output.toClient(Buffer.concat(reply.lines));
    if (reply.code === 220) {
      this.#output.startTls();
      return;
    }
    this.#output.starttlsDeclined();
    this.#readCommands();
  }

  #relayGreeting(reply: Reply): void {
    const relay = this.#options.greeting === 'relay';
    if (relay) this.#output.toClient(Buffer.concat(reply.lines));
    if (reply.code < 300) return;
    // Behind STARTTLS the client was greeted long ago and waits for nothing; its next command gets this answer.
    this.#rejection = reply;
    this.#state = relay ? 'closing' : 'rejected';
  }

  /**
   * RFC 5321, 3.1: only QUIT is left to say. No command goes to the backend, which may take it for one of ours: it has
   * not heard, or not accepted, who the client is.
   */
  #refuseCommands(): void {
    for (let read = this.#commands.next(); read !== undefined; read = this.#commands.next()) {
      const { hostname } = this.#options;
      const quit = 'line' in read && parseCommand(read.line).verb === 'QUIT';
      if (this.#state === 'rejected') this.#output.toClient(Buffer.concat(this.#rejection!.lines));
      else if (quit) this.#output.toClient(Buffer.from(`221 2.0.0 ${hostname} closing\r\n`));
      else this.#output.toClient(Buffer.from(`503 5.5.1 ${hostname} no mail is taken here now\r\n`));
      this.#refusals += 1;
      if (this.#state === 'rejected' || quit || 'violation' in read || this.#refusals === MAX_REFUSALS) {
        this.#refuse('backend_unavailable');
        return;
      }
    }
  }

  /** Sends our own replies whose turn has come, and goes on with what waited for all replies to be out. */
  #settle(): void {
    for (let next = this.#expected[0]; next?.from === 'gate'; next = this.#expected[0]) {
      this.#expected.shift();
      if (next.reply === 'starttls') {
        this.#startTls();
        return;
      }
      this.#output.toClient(Buffer.from(next.reply));
    }
    if (this.#state === 'holding') this.#stopParsing();
  }

  /** Every earlier reply is out; a backend with TLS of its own now gets to say yes or no. */
  #startTls(): void {
    if (!this.#output.mayStartTls()) {
      this.#refuse('starttls_not_now');
      return;
    }
    if (this.#options.starttls === 'pass') {
      this.#forward(this.#starttlsLine!, 'starttls');
      return;
    }
    this.#state = 'done';
    this.#output.toClient(Buffer.from(`220 2.0.0 ${this.#options.hostname} ready to start TLS\r\n`));
    this.#output.startTls();
  }

  /** Only with nothing outstanding: a reply that is still to come may be one that must be changed. */
  #stopParsing(): void {
    if (this.#expected.length > 0 || this.#isDone()) return;
    this.#state = 'done';
    const client = [...(this.#held === undefined ? [] : [this.#held]), this.#commands.takeRest()];
    const backend = this.#replies.takeRest();
    for (const bytes of client) if (bytes.length > 0) this.#output.toBackend(bytes);
    if (backend.length > 0) this.#output.toClient(backend);
    this.#output.passThrough();
  }

  #refuse(reason: GateRefusal): void {
    this.#state = 'done';
    const { reply } = GATE_REFUSALS[reason];
    if (reply !== undefined) {
      const [codes, text] = [reply.slice(0, 9), reply.slice(10)];
      this.#output.toClient(Buffer.from(`${codes} ${this.#options.hostname} ${text}\r\n`));
    }
    this.#output.refuse(reason);
  }

  /** As a method, because a callee may have moved on since the compiler last looked. */
  #isDone(): boolean {
    return this.#state === 'done';
  }
}

/** Commands the backend has not answered: RFC 2920 sets no limit; a hundred is an envelope with many recipients. */
const MAX_OUTSTANDING = 100;
/** Commands that a refused client may go on to give instead of QUIT. */
const MAX_REFUSALS = 20;
/** Bytes of commands that wait for the backend: what a hundred pipelined commands take, several times over. */
const MAX_HELD = 64 * 1024;
