/**
 * Names the client to a backend inside SMTP: Postfix's XCLIENT (XCLIENT_README), up to the greeting for the client. After
 * it the backend treats the session as the client's own and refuses an XCLIENT from it. Unless ours succeeded, nothing from
 * the client may follow, because the backend would trust it.
 */
import type { Endpoint } from '../net/endpoint.js';
import { Dialogue, type DialogueOutput } from './dialogue.js';
import { offered } from './ehlo-reply.js';
import { lastLine, wholeReply, type Reply } from './reply.js';
import { offersTrust, TRUST_FAILURES } from './trust-dialogue.js';

export const XCLIENT_FAILURES = {
  backend_no_xclient:
    'the backend does not offer XCLIENT with ADDR to the address that oldhello connects from',
  backend_xclient_refused: 'the backend offers XCLIENT, but refused it',
  ...TRUST_FAILURES,
} as const;

export type XclientFailure = keyof typeof XCLIENT_FAILURES;

export interface XclientInfo {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** When it is ready, the backend waits for the client's EHLO, and `greeting` is what it would have greeted it with. */
export class XclientDialogue extends Dialogue<XclientFailure> {
  readonly #info: XclientInfo;

  constructor(hostname: string, info: XclientInfo, output: DialogueOutput<XclientFailure>) {
    super(hostname, output);
    this.#info = info;
  }

  protected ehloAccepted(reply: Reply): void {
    const attributes = offered(reply, 'XCLIENT');
    if (attributes?.includes('ADDR') !== true) {
      this.fail('backend_no_xclient', '');
      return;
    }
    // Postfix decides about XFORWARD when we connect, and XCLIENT does not change that.
    if (offersTrust(reply, ['XFORWARD'])) {
      this.fail('backend_trusts_clients', '');
      return;
    }
    this.#send(xclientCommands(this.#info, attributes));
  }

  #send([command, ...more]: readonly string[]): void {
    this.ask(command!, (reply) => this.#answered(reply, more));
  }

  #answered(reply: Reply, more: readonly string[]): void {
    if (reply.code === 220 && more.length > 0) this.#send(more);
    else if (reply.code === 220) this.finish(wholeReply(reply));
    else if (isGreeting(reply)) this.reject(wholeReply(reply));
    else this.fail('backend_xclient_refused', lastLine(reply));
  }
}

/**
 * Without CRLF; ADDR stands last, because with it the backend stops trusting us.
 * HELO and PROTO are left out: the client sends EHLO or HELO itself.
 * NAME is always given where it can be: without it a Postfix keeps our own name for the client.
 * @param announced the attributes that the backend offers; to name another would be an error
 */
export function xclientCommands(
  { source, destination }: XclientInfo,
  announced: readonly string[],
): string[] {
  const attributes = [
    ['NAME', UNAVAILABLE],
    ['REVERSE_NAME', UNAVAILABLE],
    ['PORT', String(source.port)],
    ['DESTADDR', addressValue(destination.address)],
    ['DESTPORT', String(destination.port)],
    ['ADDR', addressValue(source.address)],
  ] as const;
  const commands: string[] = [];
  let command = 'XCLIENT';
  for (const [name, value] of attributes) {
    if (!announced.includes(name)) continue;
    const attribute = ` ${name}=${xtext(value)}`;
    if (command.length + attribute.length > MAX_COMMAND_BYTES) {
      commands.push(command);
      command = 'XCLIENT';
    }
    command += attribute;
  }
  return [...commands, command];
}

/** IPv6 has a prefix, and no zone, which has a meaning on this machine only. */
function addressValue(address: string): string {
  return address.includes(':') ? `IPV6:${address.replace(/%.*/, '')}` : address;
}

/** RFC 3461, 4. */
function xtext(value: string): string {
  return value.replace(/[^!-*,-<>-~]/g, (c) => {
    return `+${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** 554 and 4yz refuse the client (RFC 5321, 3.1); other codes are about the command. */
function isGreeting({ code }: Reply): boolean {
  return code === 554 || (code >= 400 && code < 500);
}

/** We look up no names; a backend that needs one must do so. */
const UNAVAILABLE = '[UNAVAILABLE]';
/** Without CRLF (RFC 5321, 4.5.3.1.4). */
const MAX_COMMAND_BYTES = 510;
