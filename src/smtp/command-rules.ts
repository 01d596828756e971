/**
 * What the gate does with each command, decided from the command and the state of the session alone.
 *
 * A client's own XCLIENT or XFORWARD is refused while the gate reads. When it no longer does, what keeps them harmless is
 * how the backend learns of clients: a PROXY header comes before SMTP, and after our own XCLIENT the backend asks whether
 * the client's address may send another.
 */
import { parseCommand, type Command } from './command.js';
import type { GateOptions } from './gate-options.js';
import type { GateRefusal } from './gate-refusals.js';
import { chunkSize } from './mail-content.js';
import type { OwnReply } from './replies.js';

export type CommandAction =
  /** `mail`: the first transaction begins. */
  | { readonly kind: 'forward'; readonly to: 'ehlo' | 'helo' | 'mail' | 'data' | 'other' }
  | { readonly kind: 'answer'; readonly reply: OwnReply; readonly refusesTls?: true }
  /** Forward it, and then so many bytes unread. */
  | { readonly kind: 'chunk'; readonly size: number }
  | { readonly kind: 'starttls' }
  /** Forward it once every reply before it is out, and read no more. */
  | { readonly kind: 'stop_parsing' }
  | { readonly kind: 'refuse'; readonly reason: GateRefusal };

export interface SessionState {
  readonly ehloAccepted: boolean;
  /** BDAT is offered in the reply to the last EHLO, and no other reply to one is outstanding. */
  readonly chunking: boolean;
  /** More bytes of the client's are here already. */
  readonly pipelined: boolean;
  /** Replies that the client waits for. */
  readonly outstanding: number;
  readonly mailBegan: boolean;
}

/** @param line with its CRLF */
export function commandAction(line: Buffer, options: GateOptions, state: SessionState): CommandAction {
  if (state.outstanding >= (state.mailBegan ? MAX_ENVELOPE : MAX_OUTSTANDING)) {
    return { kind: 'refuse', reason: 'pipeline_too_deep' };
  }
  const command = parseCommand(line);
  switch (command.verb) {
    case 'EHLO':
      return { kind: 'forward', to: 'ehlo' };
    case 'HELO':
      return { kind: 'forward', to: 'helo' };
    case 'STARTTLS':
      return starttls(command, options, state);
    case 'XCLIENT':
    case 'XFORWARD':
    case 'PROXY':
      return answer('command_for_proxies');
    default:
      return options.auth === 'withhold' ? guarded(command, line, state) : unguarded(command, state);
  }
}

/** RFC 3207, 4. */
function starttls({ argument }: Command, options: GateOptions, { pipelined }: SessionState): CommandAction {
  if (options.starttls === 'active') return { ...answer('tls_already_active'), refusesTls: true };
  if (options.starttls === 'hide') return { ...answer('starttls_not_offered'), refusesTls: true };
  if (argument !== '') return { ...answer('starttls_parameter'), refusesTls: true };
  return pipelined ? { kind: 'refuse', reason: 'starttls_pipelined' } : { kind: 'starttls' };
}

/** Where logins are withheld: what could hide one, or blur where the next command begins, goes no further. */
function guarded({ verb }: Command, line: Buffer, { chunking, mailBegan }: SessionState): CommandAction {
  switch (verb) {
    case 'AUTH':
      // RFC 4954, 6: refused before a password has gone any further.
      return answer('auth_needs_tls');
    case 'MAIL':
      return { kind: 'forward', to: mailBegan ? 'other' : 'mail' };
    case 'DATA':
      return { kind: 'forward', to: 'data' };
    case 'BDAT': {
      const size = chunkSize(line);
      // A backend that does not offer it, or reads another size, would take the chunk for commands.
      if (size === undefined || !chunking) return { kind: 'refuse', reason: 'chunk_unclear' };
      return { kind: 'chunk', size };
    }
    default:
      return PLAIN_COMMANDS.has(verb) ? { kind: 'forward', to: 'other' } : answer('not_implemented');
  }
}

/** Where clients may log in: what follows these commands need not be commands. */
function unguarded({ verb }: Command, { ehloAccepted }: SessionState): CommandAction {
  switch (verb) {
    case 'AUTH':
    // Exchange's names for logins, and for what is not lines of text.
    case 'X-EXPS':
    case 'X-ANONYMOUSTLS':
    case 'X-LINK2STATE':
    case 'XEXCH50':
    case 'DATA':
    case 'BDAT':
      return { kind: 'stop_parsing' };
    case 'MAIL':
      // Before EHLO it is an error for the backend to point out, and the reply to EHLO is still to be rewritten.
      return ehloAccepted ? { kind: 'stop_parsing' } : { kind: 'forward', to: 'other' };
    default:
      return { kind: 'forward', to: 'other' };
  }
}

/** Commands that the backend has not answered: RFC 2920 sets no limit. */
const MAX_OUTSTANDING = 100;
/** In an envelope: clients pipeline a RCPT for each of up to a thousand recipients. */
const MAX_ENVELOPE = 2000;

function answer(reply: OwnReply): Extract<CommandAction, { kind: 'answer' }> {
  return { kind: 'answer', reply };
}

/**
 * Commands whose syntax and replies leave no doubt about where the next command begins: RFC 5321, 4.1, and RFC 1985.
 * Others may log in by another name (X-EXPS), or have bytes behind them that are no commands (XEXCH50).
 */
const PLAIN_COMMANDS: ReadonlySet<string> = new Set([
  'RCPT',
  'RSET',
  'NOOP',
  'QUIT',
  'VRFY',
  'EXPN',
  'HELP',
  'ETRN',
  'SEND',
  'SOML',
  'SAML',
]);
