/** Every reason for which the gate ends a connection, with its reply and the side at fault. */
import type { OwnReply } from './replies.js';

interface GateRefusalRow {
  /** Undefined if the client already has a reply. */
  readonly reply: OwnReply | undefined;
  readonly fault: 'client' | 'backend' | 'proxy';
  readonly meaning: string;
}

export const GATE_REFUSALS = {
  starttls_pipelined: {
    reply: 'pipelined_after_starttls',
    fault: 'client',
    meaning: 'bytes followed STARTTLS before its reply: command injection, or a defective client',
  },
  tls_without_starttls: {
    reply: 'tls_before_220',
    fault: 'client',
    meaning: 'the client began TLS at once, but this port needs SMTP with STARTTLS first',
  },
  tls_despite_refusal: {
    reply: 'tls_before_220',
    fault: 'client',
    meaning: 'the client ignored the reply that refused its STARTTLS, and began TLS',
  },
  line_too_long: {
    reply: 'line_too_long',
    fault: 'client',
    meaning: 'a command line is longer than SMTP and its extensions allow',
  },
  bare_newline: {
    reply: 'bare_newline',
    fault: 'client',
    meaning: 'a command contains a CR without LF, or an LF without CR with bare-lf = "reject"',
  },
  nul_byte: {
    reply: 'nul_byte',
    fault: 'client',
    meaning: 'a command contains a NUL byte',
  },
  pipeline_too_deep: {
    reply: 'too_many_commands',
    fault: 'client',
    meaning: 'the client sent too many commands without waiting for their replies',
  },
  too_many_errors: {
    reply: 'too_many_errors',
    fault: 'client',
    meaning: 'the client sent more than 20 commands that oldhello itself answered with an error',
  },
  chunk_unclear: {
    reply: 'chunk_unclear',
    fault: 'client',
    meaning:
      'a BDAT command was not offered or has no valid size, so the meaning of the next bytes is unclear',
  },
  content_end_unclear: {
    reply: 'content_end_unclear',
    fault: 'client',
    meaning:
      'mail in clear has a line with a single dot but without CR or LF, so servers may disagree on the end of the mail (SMTP smuggling)',
  },
  client_dismissed: {
    reply: undefined,
    fault: 'client',
    meaning:
      'the backend refused a command and closed, while the client had sent more commands without waiting for replies',
  },
  starttls_not_now: {
    reply: 'too_many_handshakes',
    fault: 'proxy',
    meaning: 'a limit on handshakes was reached, so STARTTLS was answered with 421',
  },
  reply_malformed: {
    reply: 'backend_broken',
    fault: 'backend',
    meaning: 'the backend sent something that is not an SMTP reply',
  },
  reply_too_long: {
    reply: 'backend_broken',
    fault: 'backend',
    meaning: 'a reply of the backend has too many lines, or too long ones',
  },
  reply_unexpected: {
    reply: 'backend_broken',
    fault: 'backend',
    meaning: 'the backend sent a reply without a command, or one that does not fit the command',
  },
  reply_in_content: {
    reply: undefined,
    fault: 'backend',
    meaning: 'the backend replied before the mail was complete, and its reply was passed on',
  },
  backend_gone: {
    reply: 'backend_broken',
    fault: 'backend',
    meaning: 'the backend closed before it had replied to every command',
  },
  backend_unavailable: {
    reply: undefined,
    fault: 'backend',
    meaning: 'the greeting of the backend is a refusal, which was passed on to the client',
  },
} as const satisfies Record<string, GateRefusalRow>;

export type GateRefusal = keyof typeof GATE_REFUSALS;
