/**
 * The backend's side of a session before there is a backend session. It sends learnt replies, requests a backend
 * session at the first command that only the backend can answer, and then sends the client's last EHLO or HELO to the
 * backend, so that the backend is in the same state. The client already has the reply to it.
 */
import { parseCommand } from './command.js';
import { keepsPromises } from './learnt-ehlo.js';
import type { SessionReplies, SimpleVerb } from './learnt-replies.js';
import { ReplyReader, wholeReply, type Reply } from './reply.js';

export interface LearntSessionOutput {
  toClient(bytes: Buffer): void;
  toBackend(bytes: Buffer): void;
  /** A backend session is needed. The owner calls `opened`, and then `fromBackend`. */
  open(): void;
  /** The session ended with QUIT, and had no backend. */
  quit(): void;
  /** The backend's own greeting, or its own reply to the client's EHLO or HELO. */
  replied(to: 'greeting' | 'ehlo' | 'helo', reply: Reply, heloName: string | undefined): void;
  /** From now on all bytes are relayed unchanged. */
  ready(): void;
  /** The backend refuses this client, and nothing more may be sent to it. `reply` answers the client's command. */
  refused(reply: Buffer): void;
  /** The session cannot continue: the backend lacks an offered extension, or sent something that is not a reply. */
  failed(reason: 'backend_changed' | 'backend_reply_broken'): void;
}

interface Introduction {
  readonly line: Buffer;
  readonly verb: 'EHLO' | 'HELO';
}

type Phase = 'answering' | 'opening' | 'greeting' | 'introducing' | 'passing' | 'over';

export class LearntSession {
  readonly #learnt: SessionReplies;
  readonly #output: LearntSessionOutput;
  readonly #backend = new ReplyReader();
  #phase: Phase = 'answering';
  #introduction: Introduction | undefined;
  #answers = 0;
  #held: Buffer[] = [];
  #heldLength = 0;

  constructor(learnt: SessionReplies, output: LearntSessionOutput) {
    this.#learnt = learnt;
    this.#output = output;
  }

  /** Bytes that wait for the backend. */
  get held(): number {
    return this.#heldLength;
  }

  /** @param bytes one complete command while all earlier ones were answered here; any bytes later */
  fromClient(bytes: Buffer): void {
    if (this.#phase === 'passing') this.#output.toBackend(bytes);
    else if (this.#phase !== 'over' && !this.#answer(bytes)) {
      this.#held.push(bytes);
      this.#heldLength += bytes.length;
      if (this.#phase !== 'answering') return;
      this.#phase = 'opening';
      this.#output.open();
    }
  }

  opened(): void {
    this.#phase = 'greeting';
  }

  fromBackend(bytes: Buffer): void {
    this.#backend.push(bytes);
    while (this.#isIn('greeting') || this.#isIn('introducing')) {
      const read = this.#backend.next();
      if (read === undefined) return;
      if ('violation' in read) this.#fail('backend_reply_broken');
      else if (this.#phase === 'greeting') this.#greeted(read.reply);
      else this.#introduced(read.reply);
    }
    if (this.#isIn('passing')) this.#relay();
  }

  #answer(line: Buffer): boolean {
    if (this.#phase !== 'answering' || this.#answers >= MAX_ANSWERS) return false;
    const verb = answerable(line);
    const reply = verb === undefined ? undefined : this.#replyTo(verb);
    if (verb === undefined || reply === undefined) return false;
    this.#answers += 1;
    if (verb === 'EHLO' || verb === 'HELO') this.#introduction = { line: Buffer.from(line), verb };
    this.#output.toClient(reply);
    if (verb === 'QUIT') {
      this.#phase = 'over';
      this.#output.quit();
    }
    return true;
  }

  /** Before EHLO, servers accept different commands. */
  #replyTo(verb: Introduction['verb'] | SimpleVerb): Buffer | undefined {
    if (verb === 'EHLO' || verb === 'HELO') return this.#learnt[verb];
    return verb === 'QUIT' || this.#introduction !== undefined ? this.#learnt.simple[verb] : undefined;
  }

  #greeted(reply: Reply): void {
    this.#output.replied('greeting', reply, undefined);
    if (reply.code >= 400) this.#refuse(reply);
    else if (reply.code !== 220) this.#fail('backend_reply_broken');
    else if (this.#introduction === undefined) this.#pass();
    else {
      this.#phase = 'introducing';
      this.#output.toBackend(this.#introduction.line);
    }
  }

  #introduced(reply: Reply): void {
    const { line, verb } = this.#introduction!;
    const isEhlo = verb === 'EHLO';
    this.#output.replied(isEhlo ? 'ehlo' : 'helo', reply, parseCommand(line).argument);
    if (reply.code !== 250) this.#refuse(reply);
    else if (isEhlo && !keepsPromises(this.#learnt.ehlo, reply)) this.#fail('backend_changed');
    else this.#pass();
  }

  #pass(): void {
    this.#phase = 'passing';
    for (const bytes of this.#held) this.#output.toBackend(bytes);
    this.#held = [];
    this.#heldLength = 0;
    this.#output.ready();
  }

  /** Relays the bytes after the last reply that was parsed here. */
  #relay(): void {
    const rest = this.#backend.takeRest();
    if (rest.length > 0) this.#output.toClient(rest);
  }

  #refuse(reply: Reply): void {
    this.#phase = 'over';
    this.#output.refused(wholeReply(reply));
  }

  #fail(reason: 'backend_changed' | 'backend_reply_broken'): void {
    this.#phase = 'over';
    this.#output.failed(reason);
  }

  /** As a method, because a callee may have changed the phase since the compiler narrowed it. */
  #isIn(phase: Phase): boolean {
    return this.#phase === phase;
  }
}

/** The verb of a command that all servers answer in the same way; undefined for other commands. */
function answerable(line: Buffer): Introduction['verb'] | SimpleVerb | undefined {
  if (!ANSWERABLE.test(line.toString('latin1'))) return undefined;
  return parseCommand(line).verb as Introduction['verb'] | SimpleVerb;
}

/** Whether the name is well-formed, so that a server that refuses it refuses this client. */
export function isPlainName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/** A domain, or an address literal (RFC 5321, 4.1.1.1); "_" is not allowed in a domain, but common. */
const NAME = String.raw`(?:[A-Za-z0-9][A-Za-z0-9._-]{0,254}|\[[A-Za-z0-9.:]{1,64}\])`;
const PLAIN_NAME = new RegExp(`^${NAME}$`);
const ANSWERABLE = new RegExp(String.raw`^(?:(?:EHLO|HELO) ${NAME}|NOOP|RSET|QUIT)\r\n$`, 'i');
/** Servers limit commands without a mail transaction, so later ones go to the backend. */
const MAX_ANSWERS = 20;
