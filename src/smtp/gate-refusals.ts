/** Every reason for which the gate ends a session, what it says to the client, and whose doing it is. */

interface GateRefusalRow {
  /** Without the host name, which follows the codes; undefined where the client has its answer already. */
  readonly reply: string | undefined;
  readonly fault: 'client' | 'backend';
  readonly means: string;
}

export const GATE_REFUSALS = {
  starttls_pipelined: {
    reply: '554 5.5.0 nothing may follow STARTTLS before the reply to it',
    fault: 'client',
    means: 'bytes came behind STARTTLS before the reply to it: command injection, or a broken client',
  },
  line_too_long: {
    reply: '500 5.5.2 line too long',
    fault: 'client',
    means: 'a command line is longer than SMTP and its extensions allow',
  },
  bare_newline: {
    reply: '500 5.5.2 lines end with CR LF',
    fault: 'client',
    means: 'a command holds a CR or LF of its own, which different servers would read differently',
  },
  nul_byte: {
    reply: '500 5.5.2 a command has no NUL',
    fault: 'client',
    means: 'a command holds a NUL byte',
  },
  pipeline_too_deep: {
    reply: '421 4.5.3 too many commands without waiting for replies',
    fault: 'client',
    means: 'the client sent more commands ahead than any honest one does',
  },
  reply_malformed: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    means: 'what the backend sent is not an SMTP reply',
  },
  reply_too_long: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    means: 'a reply of the backend has too many lines, or too long ones',
  },
  reply_unexpected: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    means: 'the backend replied to a command that nobody gave',
  },
  backend_unavailable: {
    reply: undefined,
    fault: 'backend',
    means: 'the backend greeted the encrypted session with a refusal, which was passed on',
  },
} as const satisfies Record<string, GateRefusalRow>;

export type GateRefusal = keyof typeof GATE_REFUSALS;
