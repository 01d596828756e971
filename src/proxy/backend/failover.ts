/**
 * A session with a backend at whichever of its addresses there is one to be had. An address that cannot be reached, or
 * does not greet, is followed by the next one, as long as nothing of the client's was passed on.
 */
import { ReplyReader, type ReplyRead } from '../../smtp/reply.js';
import { NO_HANDLER, type ChannelHandler } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { BackendError } from './backend-error.js';
import type { ClientIdentity } from './dial.js';
import {
  abandon,
  openSessionAt,
  quitAndClose,
  type BackendPlan,
  type SessionHandler,
  type SessionStart,
} from './open-session.js';
import type { BackendTarget } from './target.js';
import { HEALTH_TIMEOUT_MS } from './try-backend.js';

export interface WantedSession extends SessionStart {
  readonly identity: ClientIdentity;
  /** Where the last session of this client was. */
  readonly preferred?: BackendTarget | undefined;
}

/** @returns a function that gives up on the attempt, if it still runs */
export function openBackendSession(
  plan: BackendPlan,
  wanted: WantedSession,
  handler: SessionHandler,
): () => void {
  const search = new Search(plan, wanted, handler);
  void search.run();
  return () => search.cancel();
}

class Search {
  readonly #plan: BackendPlan;
  readonly #wanted: WantedSession;
  readonly #handler: SessionHandler;
  #targets: readonly BackendTarget[] = [];
  #cancel: () => void = () => undefined;
  #cancelled = false;

  constructor(plan: BackendPlan, wanted: WantedSession, handler: SessionHandler) {
    this.#plan = plan;
    this.#wanted = wanted;
    this.#handler = handler;
  }

  async run(): Promise<void> {
    const { addresses, config } = this.#plan;
    this.#targets = await addresses.sessionTargets(config, this.#wanted.preferred);
    if (!this.#cancelled) this.#try(0);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#cancel();
  }

  #try(index: number): void {
    const { config, addresses } = this.#plan;
    const { identity, security, smtp } = this.#wanted;
    const target = this.#targets[index]!;
    const isLast = index === this.#targets.length - 1;
    const connectTimeoutMs = isLast ? config.connectTimeout : Math.min(config.connectTimeout, NEXT_AFTER_MS);
    const done: SessionHandler['ready'] = (...session) => {
      addresses.succeeded(target);
      this.#handler.ready(...session);
    };
    const failed = (error: BackendError): void => {
      const isOurs = error.reason === 'backend_no_descriptor';
      if (!isOurs) addresses.failed(target);
      if (isLast || isOurs) this.#handler.failed(error);
      else this.#try(index + 1);
    };
    // The last one is waited for as if it were the only one.
    const ready: SessionHandler['ready'] = (channel, greeting) => {
      if (isLast || !smtp) done(channel, greeting, target);
      else this.#awaitGreeting(index, channel, greeting, { ready: done, failed });
    };
    this.#cancel = openSessionAt(
      this.#plan,
      target,
      { identity, security, smtp, connectTimeoutMs },
      { ready, failed },
    );
  }

  #awaitGreeting(index: number, channel: SocketChannel, first: Buffer, handler: SessionHandler): void {
    const target = this.#targets[index]!;
    const timeoutMs = Math.min(HEALTH_TIMEOUT_MS, this.#plan.greetingTimeout / this.#targets.length);
    const replies = new ReplyReader();
    const received: Buffer[] = [];
    const over = (): void => {
      clearTimeout(timer);
      channel.pause();
      channel.handler = NO_HANDLER;
    };
    const fail = (reason: 'backend_closed' | 'backend_greeting_timeout', detail: string): void => {
      over();
      channel.destroy();
      handler.failed(new BackendError(reason, target, detail));
    };
    const timer = setTimeout(
      () => fail('backend_greeting_timeout', `no greeting within ${timeoutMs} ms`),
      timeoutMs,
    );
    const collect = (bytes: Buffer): void => {
      received.push(bytes);
      replies.push(bytes);
      const read = replies.next();
      if (read === undefined) return;
      over();
      if (isTemporaryRefusal(read)) {
        // It may refuse this client only, so that others try it as before.
        quitAndClose(channel);
        this.#try(index + 1);
      } else handler.ready(channel, Buffer.concat(received), target);
    };
    this.#cancel = () => {
      clearTimeout(timer);
      abandon(channel);
    };
    const waiting: ChannelHandler = {
      ...NO_HANDLER,
      data: collect,
      end: () => fail('backend_closed', CLOSED),
      closed: (error) => fail('backend_closed', error?.message ?? CLOSED),
    };
    channel.handler = waiting;
    if (first.length > 0) collect(first);
    if (channel.handler === waiting) channel.resume();
  }
}

/** What else is no greeting is the client's to get, with an explanation in the log. */
function isTemporaryRefusal(read: ReplyRead): boolean {
  return 'reply' in read && read.reply.code >= 400 && read.reply.code < 500;
}

const CLOSED = 'it closed the connection instead of greeting';
/** A lost SYN is sent again after a second. */
const NEXT_AFTER_MS = 2_000;
