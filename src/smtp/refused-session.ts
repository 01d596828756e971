/**
 * A session whose greeting refuses the client. RFC 5321, 3.1: only QUIT is allowed. No command goes to the backend, which
 * could take it for one of ours: it has not received, or not accepted, the client's address.
 */
import type { ClientStream } from './client-stream.js';
import { parseCommand } from './command.js';
import type { GateOutput } from './gate-options.js';
import { ownReply } from './replies.js';
import { wholeReply, type Reply } from './reply.js';

export class RefusedSession {
  readonly #hostname: string;
  readonly #output: Pick<GateOutput, 'toClient'>;
  /** The backend's greeting, until the client has it. */
  #greeting: Reply | undefined;
  #answered = 0;

  /** @param greeting where the client does not have it: inside STARTTLS, it answers the client's next command */
  constructor(hostname: string, output: Pick<GateOutput, 'toClient'>, greeting: Reply | undefined) {
    this.#hostname = hostname;
    this.#output = output;
    this.#greeting = greeting;
  }

  /** @returns true when the client has its last reply */
  answer(commands: ClientStream): boolean {
    for (let read = commands.next(); read !== undefined; read = commands.next()) {
      if (this.end()) return true;
      const quit = 'line' in read && parseCommand(read.line).verb === 'QUIT';
      this.#output.toClient(ownReply(quit ? 'goodbye' : 'no_mail_now', this.#hostname));
      this.#answered += 1;
      if (quit || 'violation' in read || this.#answered === MAX_ANSWERS) return true;
    }
    return false;
  }

  /** Passes on the greeting, where the client does not have it. @returns true where that was so */
  end(): boolean {
    if (this.#greeting === undefined) return false;
    this.#output.toClient(wholeReply(this.#greeting));
    this.#greeting = undefined;
    return true;
  }
}

/** Commands that a refused client may send instead of QUIT. */
const MAX_ANSWERS = 20;
