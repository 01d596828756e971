/** Every reason for which the gate ends a session, what it says to the client, and whose doing it is. */

interface GateRefusalRow {
  /** Without the host name, which follows the codes; undefined where the client has its answer already. */
  readonly reply: string | undefined;
  readonly fault: 'client' | 'backend' | 'proxy';
  readonly meaning: string;
  /** What the admin can do about it. */
  readonly remedy: string;
}

const BROKEN_BACKEND = 'look into the log of the backend at this time, and into what it is';

export const GATE_REFUSALS = {
  starttls_pipelined: {
    reply: '554 5.5.0 nothing may follow STARTTLS before the reply to it',
    fault: 'client',
    meaning: 'bytes came behind STARTTLS before the reply to it: command injection, or a broken client',
    remedy: 'see who it is; a sender that is merely broken must wait for the reply to STARTTLS',
  },
  line_too_long: {
    reply: '500 5.5.2 line too long',
    fault: 'client',
    meaning: 'a command line is longer than SMTP and its extensions allow',
    remedy: 'see who it is; mail programs stay far below this length',
  },
  bare_newline: {
    reply: '500 5.5.2 lines end with CR LF',
    fault: 'client',
    meaning: 'a command holds a CR or LF of its own, which different servers would read differently',
    remedy: 'mend the client: lines end with CR LF',
  },
  nul_byte: {
    reply: '500 5.5.2 a command has no NUL',
    fault: 'client',
    meaning: 'a command holds a NUL byte',
    remedy: 'see who it is; no mail program sends this',
  },
  pipeline_too_deep: {
    reply: '421 4.5.3 too many commands without waiting for replies',
    fault: 'client',
    meaning: 'the client sent more commands ahead than any honest one does',
    remedy: 'see who it is; mail programs wait for replies now and then',
  },
  starttls_not_now: {
    reply: '421 4.7.0 too many TLS handshakes, try again later',
    fault: 'proxy',
    meaning: 'a limit on handshakes was reached, so STARTTLS was answered with 421',
    remedy: 'see docs/configuration.md, [limits]',
  },
  reply_malformed: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    meaning: 'what the backend sent is not an SMTP reply',
    remedy: BROKEN_BACKEND,
  },
  reply_too_long: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    meaning: 'a reply of the backend has too many lines, or too long ones',
    remedy: BROKEN_BACKEND,
  },
  reply_unexpected: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    meaning: 'the backend replied to a command that nobody gave',
    remedy: BROKEN_BACKEND,
  },
  backend_gone: {
    reply: '421 4.3.0 mail system trouble, try again later',
    fault: 'backend',
    meaning: 'the backend closed before it had replied to every command',
    remedy: BROKEN_BACKEND,
  },
  backend_unavailable: {
    reply: undefined,
    fault: 'backend',
    meaning: 'the backend greeted the encrypted session with a refusal, which was passed on',
    remedy: "read the reply in the log of the backend: it may be too busy, or not trust oldhello's address",
  },
} as const satisfies Record<string, GateRefusalRow>;

export type GateRefusal = keyof typeof GATE_REFUSALS;
