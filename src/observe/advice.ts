/** What an administrator can do about each reason, in terms of the configuration. The tables of reasons say what happened. */

const BROKEN_BACKEND = 'look into the log of the backend at this time, and check which program runs there';

/** For each reason for which the SMTP gate ends a connection. */
export const GATE_ADVICE = {
  starttls_pipelined:
    'see what the client is; a sender that is merely broken must wait for the reply to STARTTLS',
  tls_without_starttls: 'set the client to STARTTLS, or to the port of a listener with mode = "implicit"',
  tls_despite_refusal:
    'the client must go on in clear or close; see in the log why STARTTLS was refused: starttls_suppressed, offer-starttls = false in a [[policy]], or the reply of the backend',
  line_too_long: 'see what the client is; mail programs stay far below this length',
  bare_newline:
    'correct the client: lines end with CR LF; bare-lf = "accept" in the [[listener]] allows LF alone',
  nul_byte: 'see what the client is; no mail program sends this',
  pipeline_too_deep: 'see what the client is; mail programs wait for replies now and then',
  chunk_unclear:
    'see what the client is; mail programs use BDAT only where EHLO offers CHUNKING, with a number behind it',
  content_end_unclear:
    'correct the client: lines of mail end with CR LF; auth = "always" in the [[listener]] passes mail in clear unread',
  client_dismissed:
    'correct the client: it must wait for the replies to EHLO and DATA; the log of the backend has the details',
  starttls_not_now: 'see docs/configuration.md, [limits]',
  reply_malformed: BROKEN_BACKEND,
  reply_too_long: BROKEN_BACKEND,
  reply_unexpected: BROKEN_BACKEND,
  reply_in_content: BROKEN_BACKEND,
  backend_gone: BROKEN_BACKEND,
  backend_unavailable:
    "read the reply in the log of the backend: it may be too busy, or not trust oldhello's address",
} as const;
