/**
 * Opens a session at one of a backend's addresses. If an address cannot be reached, or sends no greeting, the next one
 * is tried, as long as no bytes of the client were sent.
 */
import { ReplyReader, type ReplyRead } from '../../smtp/reply.js';
import { NO_HANDLER, type ChannelHandler } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { BackendError, type BackendFailure } from './backend-error.js';
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
  #timer: NodeJS.Timeout | undefined;

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
    clearTimeout(this.#timer);
    this.#cancel();
  }

  #try(index: number): void {
    const { config, addresses } = this.#plan;
    const { identity, security, smtp } = this.#wanted;
    const target = this.#targets[index]!;
    const isLast = index === this.#targets.length - 1;
    const connectTimeoutMs = isLast ? config.connectTimeout : Math.min(config.connectTimeout, NEXT_AFTER_MS);
    const done: SessionHandler['ready'] = (channel, greeting) => {
      clearTimeout(this.#timer);
      // A TCP connection alone shows nothing: a system accepts it for a server that hangs.
      if (!smtp || greets(greeting)) addresses.succeeded(target);
      this.#handler.ready(channel, greeting, target);
    };
    const failed = (error: BackendError): void => {
      clearTimeout(this.#timer);
      const isOurs = error.reason === 'backend_no_descriptor';
      const isLocal = isOurs || LOCAL_SHORTAGES.has(error.code ?? '');
      if (!isLocal && !this.#mayBeAboutClient(error)) addresses.failed(target);
      if (isLast || isOurs) this.#handler.failed(error);
      else this.#try(index + 1);
    };
    // The last one gets the whole timeout, as a single address does.
    const connected = isLast ? undefined : (): void => this.#awaitSession(target, failed);
    const ready: SessionHandler['ready'] = (channel, greeting) => {
      if (isLast || !smtp) done(channel, greeting, target);
      else this.#awaitGreeting(index, channel, greeting, { ready: done, failed });
    };
    this.#cancel = openSessionAt(
      this.#plan,
      target,
      { identity, security, smtp, connectTimeoutMs, ...(connected && { connected }) },
      { ready, failed },
    );
  }

  /** From the TCP connection to the greeting, because a server may also hang in a dialogue or a handshake. */
  #awaitSession(target: BackendTarget, failed: (error: BackendError) => void): void {
    const timeoutMs = Math.min(HEALTH_TIMEOUT_MS, this.#plan.greetingTimeout / this.#targets.length);
    this.#timer = setTimeout(() => {
      this.#cancel();
      failed(new BackendError('backend_greeting_timeout', target, `no greeting within ${timeoutMs} ms`));
    }, timeoutMs);
  }

  /** A failure that one client can cause does not mark the address as down, if there are health checks. */
  #mayBeAboutClient({ reason }: BackendError): boolean {
    return this.#plan.config.healthInterval > 0 && CLIENT_REASONS.has(reason);
  }

  #awaitGreeting(index: number, channel: SocketChannel, first: Buffer, handler: SessionHandler): void {
    const target = this.#targets[index]!;
    const replies = new ReplyReader();
    const received: Buffer[] = [];
    const over = (): void => {
      channel.pause();
      channel.handler = NO_HANDLER;
    };
    const fail = (detail: string): void => {
      over();
      channel.destroy();
      handler.failed(new BackendError('backend_closed', target, detail));
    };
    const collect = (bytes: Buffer): void => {
      received.push(bytes);
      replies.push(bytes);
      const read = replies.next();
      if (read === undefined) return;
      over();
      if (isTemporaryRefusal(read)) {
        // It may refuse this client only, so that others try it as before.
        clearTimeout(this.#timer);
        quitAndClose(channel);
        this.#try(index + 1);
      } else handler.ready(channel, Buffer.concat(received), target);
    };
    this.#cancel = () => abandon(channel);
    const waiting: ChannelHandler = {
      ...NO_HANDLER,
      data: collect,
      end: () => fail(CLOSED),
      closed: (error) => fail(error?.message ?? CLOSED),
    };
    channel.handler = waiting;
    if (first.length > 0) collect(first);
    if (channel.handler === waiting) channel.resume();
  }
}

/** Whether this is a whole greeting by which the address counts as up. */
function greets(greeting: Buffer): boolean {
  const replies = new ReplyReader();
  replies.push(greeting);
  const read = replies.next();
  return read !== undefined && !isTemporaryRefusal(read);
}

/** Other replies that are no greeting are sent to the client, with an explanation in the log. */
function isTemporaryRefusal(read: ReplyRead): boolean {
  return 'reply' in read && read.reply.code >= 400 && read.reply.code < 500;
}

/** This machine has no local port or no buffers left, so the address is not to blame; another one may still work. */
const LOCAL_SHORTAGES: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOBUFS']);
/** A backend may close on one client, keep it waiting, or refuse its address, at any step after the PROXY header. */
const CLIENT_REASONS: ReadonlySet<BackendFailure> = new Set([
  'backend_closed',
  'backend_greeting_timeout',
  'backend_xclient_refused',
  'backend_tls_failed',
  'backend_starttls_refused',
  'backend_ehlo_refused',
]);
const CLOSED = 'it closed the connection instead of greeting';
/** A lost SYN is sent again after a second. */
const NEXT_AFTER_MS = 2_000;
