/** What the gate does with each reply of the backend. The decision depends only on the reply and on its subject. */
import type { ContentState } from './client-stream.js';
import { offered, rewriteEhloReply } from './ehlo-reply.js';
import type { GateOptions } from './gate-options.js';
import type { GateRefusal } from './gate-refusals.js';
import { wholeReply, type Reply } from './reply.js';
import type { ReplyTo } from './reply-queue.js';

export interface ReplyAction {
  /** What the client gets. */
  readonly toClient?: Buffer;
  readonly then?: ReplyConsequence;
}

export type ReplyConsequence =
  /** The greeting refuses the client, which has received it only where it was relayed. */
  | { readonly kind: 'refused_by_greeting'; readonly greeting: Reply | undefined }
  | { readonly kind: 'ehlo_answered'; readonly accepted: boolean; readonly chunking: boolean }
  | { readonly kind: 'start_tls' }
  | { readonly kind: 'starttls_declined' }
  | { readonly kind: 'content_begins' }
  /** The client's next bytes are commands. */
  | { readonly kind: 'commands_follow' }
  | { readonly kind: 'refuse'; readonly reason: GateRefusal };

export interface ReplyContext {
  /** Whether more bytes of the backend follow this reply. */
  readonly moreFollows: boolean;
  /** State of the content of DATA. */
  readonly content: ContentState;
}

/** @param to what the reply is about; undefined where no reply is due */
export function replyAction(
  reply: Reply,
  to: ReplyTo | undefined,
  options: GateOptions,
  context: ReplyContext,
): ReplyAction {
  switch (to) {
    case undefined:
      // RFC 5321, 3.8: 421 may come at any time, and the backend closes behind it.
      return reply.code === SERVICE_CLOSING ? { toClient: wholeReply(reply) } : refuse('reply_unexpected');
    case 'greeting':
      return toGreeting(reply, options);
    case 'ehlo':
      return toEhlo(reply, options);
    case 'helo':
      return {
        toClient: wholeReply(reply),
        then: { kind: 'ehlo_answered', accepted: reply.code === OK, chunking: false },
      };
    case 'starttls':
      return toStarttls(reply, context);
    case 'data':
      return toData(reply);
    case 'content':
      return toContent(reply, context);
    case 'other':
      return toOther(reply, options);
  }
}

function toGreeting(reply: Reply, { greeting }: GateOptions): ReplyAction {
  const relayed = greeting === 'relay' ? { toClient: wholeReply(reply) } : {};
  if (reply.code === SERVICE_READY) return relayed;
  // It opens nothing and refuses nothing; what prepares sessions takes it for no acceptance either.
  if (reply.code < 400) return refuse('reply_unexpected');
  // Inside STARTTLS the client was greeted before and waits for nothing; its next command gets this answer.
  const kept = greeting === 'relay' ? undefined : reply;
  return { ...relayed, then: { kind: 'refused_by_greeting', greeting: kept } };
}

function toEhlo(reply: Reply, options: GateOptions): ReplyAction {
  const { starttls, auth } = options;
  const accepted = reply.code === OK;
  const chunking = accepted && offered(reply, 'CHUNKING') !== undefined;
  const rewrite = { starttls: STARTTLS_LINE[starttls], withholdAuth: auth === 'withhold' };
  return {
    toClient: accepted ? rewriteEhloReply(reply, rewrite) : wholeReply(reply),
    then: { kind: 'ehlo_answered', accepted, chunking },
  };
}

/** What the backend sends behind its 220 could only be clear text meant to be taken for TLS. */
function toStarttls(reply: Reply, { moreFollows }: ReplyContext): ReplyAction {
  const accepted = reply.code === SERVICE_READY;
  if (accepted && moreFollows) return refuse('reply_unexpected');
  return { toClient: wholeReply(reply), then: { kind: accepted ? 'start_tls' : 'starttls_declined' } };
}

function toData(reply: Reply): ReplyAction {
  if (reply.code === START_MAIL_INPUT) {
    return { toClient: wholeReply(reply), then: { kind: 'content_begins' } };
  }
  if (reply.code < 400) return refuse('reply_unexpected');
  return { toClient: wholeReply(reply), then: { kind: 'commands_follow' } };
}

function toContent(reply: Reply, { content }: ReplyContext): ReplyAction {
  const toClient = wholeReply(reply);
  if (content === 'over') return { toClient };
  if (content === 'unclear') return { toClient, then: { kind: 'commands_follow' } };
  return reply.code === SERVICE_CLOSING ? { toClient } : { ...refuse('reply_in_content'), toClient };
}

/** If all commands are read, only the commands above are followed by bytes that are no commands. */
function toOther(reply: Reply, { auth }: GateOptions): ReplyAction {
  const asksForMore = reply.code >= 300 && reply.code < 400;
  return asksForMore && auth === 'withhold' ? refuse('reply_unexpected') : { toClient: wholeReply(reply) };
}

function refuse(reason: GateRefusal): ReplyAction {
  return { then: { kind: 'refuse', reason } };
}

const STARTTLS_LINE = { offer: 'replace', pass: 'keep', hide: 'remove', active: 'remove' } as const;
const SERVICE_READY = 220;
const OK = 250;
const START_MAIL_INPUT = 354;
/** RFC 5321, 3.8. */
export const SERVICE_CLOSING = 421;
/** With these, backends close on a client that sends commands before it may (RFC 5321, 4.2.2; 521 is RFC 7504). */
export const DISMISSALS: ReadonlySet<number> = new Set([500, 503, 521, 554]);
