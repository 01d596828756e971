/**
 * A backend session that is opened when the client needs it. Until then the client gets learnt replies; afterwards this
 * is the channel to the backend.
 */
import type { Reply } from '../../smtp/reply.js';
import type { SessionReplies } from '../../smtp/learnt-replies.js';
import { LearntSession } from '../../smtp/learnt-session.js';
import { NO_HANDLER, type BackendChannel, type ChannelHandler } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import type { BackendFailure } from './backend-error.js';
import { quitAndClose, type SessionHandler } from './open-session.js';

export interface DeferredEvents {
  /** The session is being opened, and the client waits. */
  opening(): void;
  /** The client's commands were sent to the backend. */
  ready(): void;
  /** The backend's own reply to a command that was already answered here. */
  replied(to: 'greeting' | 'ehlo' | 'helo', reply: Reply, heloName: string | undefined): void;
  /** The backend refuses the client, in this reply to the client's command. */
  refused(reply: Buffer): void;
  /** @param message details, if there are any */
  failed(reason: BackendFailure, message?: string): void;
}

/** Starts paused, with NO_HANDLER. */
export class DeferredBackend implements BackendChannel {
  readonly #events: DeferredEvents;
  readonly #attempt: (handler: SessionHandler) => () => void;
  readonly #session: LearntSession;
  #handler: ChannelHandler = NO_HANDLER;
  #channel: SocketChannel | undefined;
  #state: 'answering' | 'opening' | 'open' | 'closed' = 'answering';
  #cancel: () => void = () => undefined;
  /** Replies that were not yet sent to the client. */
  #replies: Buffer[] = [];
  #paused = true;
  /** Nothing more is written to the backend. */
  #ended = false;
  /** The session is over, as if the backend had closed it. */
  #quit = false;

  /** @param attempt makes a backend session; returns a function that cancels it */
  constructor(
    learnt: SessionReplies,
    attempt: (handler: SessionHandler) => () => void,
    events: DeferredEvents,
  ) {
    this.#events = events;
    this.#attempt = attempt;
    this.#session = new LearntSession(learnt, {
      toClient: (bytes) => this.#reply(bytes),
      toBackend: (bytes) => this.#channel!.write(bytes),
      open: () => this.#open(),
      quit: () => (this.#quit = true),
      replied: (to, reply, heloName) => events.replied(to, reply, heloName),
      ready: () => this.#ready(),
      refused: (reply) => this.#over(() => events.refused(reply)),
      failed: (reason) => this.#fail(reason),
    });
  }

  /** The client waits for a session that is being opened. */
  get opening(): boolean {
    return this.#state === 'opening';
  }

  get handler(): ChannelHandler {
    return this.#handler;
  }

  set handler(handler: ChannelHandler) {
    this.#handler = handler;
    if (this.#state === 'open') this.#channel!.handler = handler;
  }

  write(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#channel!.write(bytes);
    else if (this.#state !== 'closed' && !this.#ended) {
      this.#session.fromClient(Buffer.from(bytes));
      if (this.opening && this.#session.held > MAX_HELD_BYTES) this.#handler.full();
    }
  }

  end(): void {
    if (this.#state === 'open') this.#channel!.end();
    else if (this.#state === 'answering') this.#quit = true;
    this.#ended = true;
    if (this.#quit) this.#schedule();
  }

  destroy(): void {
    if (this.#state === 'open') this.#channel!.destroy();
    else if (this.#state !== 'closed') {
      this.#state = 'closed';
      if (this.#channel === undefined) {
        this.#cancel();
        process.nextTick(() => this.#closed());
      } else {
        this.#channel.handler = { ...NO_HANDLER, closed: () => this.#closed() };
        this.#channel.destroy();
      }
    }
  }

  /** The session is SMTP, in which every message has an end of its own. */
  reset(): void {
    this.destroy();
  }

  /** Ends the session, with QUIT if it is open, and does not wait for the end. */
  leave(): void {
    if (this.#state === 'open') quitAndClose(this.#channel!);
    else this.destroy();
  }

  pause(): void {
    this.#paused = true;
    if (this.#state === 'open') this.#channel!.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#state === 'open') this.#channel!.resume();
    else this.#schedule();
  }

  #reply(bytes: Buffer): void {
    if (this.#state === 'open') this.#handler.data(bytes);
    else {
      this.#replies.push(bytes);
      this.#schedule();
    }
  }

  /** Like a socket, it calls no handler within a call. */
  #schedule(): void {
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    if (this.#paused) return;
    this.#deliver();
    if (!this.#quit || this.#state !== 'answering') return;
    this.#state = 'closed';
    this.#handler.end(true);
    process.nextTick(() => this.#closed());
  }

  #deliver(): void {
    const replies = this.#replies.splice(0);
    if (replies.length > 0) this.#handler.data(Buffer.concat(replies));
  }

  #open(): void {
    this.#state = 'opening';
    this.#events.opening();
    this.#cancel = this.#attempt({
      ready: (channel, greeting) => this.#opened(channel, greeting),
      failed: (error) => this.#fail(error.reason, error.message),
    });
  }

  #opened(channel: SocketChannel, greeting: Buffer): void {
    this.#channel = channel;
    const gone = (): void => this.#fail('backend_closed');
    channel.handler = {
      ...NO_HANDLER,
      data: (bytes) => this.#session.fromBackend(bytes),
      end: gone,
      closed: () => {
        this.#channel = undefined;
        gone();
      },
    };
    this.#session.opened();
    if (greeting.length > 0) this.#session.fromBackend(greeting);
    if (this.#state === 'opening') channel.resume();
  }

  #ready(): void {
    const channel = this.#channel!;
    // Also while paused: afterwards only the channel is resumed, and these replies come before all of it.
    this.#deliver();
    this.#state = 'open';
    channel.handler = this.#handler;
    this.#events.ready();
    this.#handler.drain();
    if (this.#ended) channel.end();
    if (this.#paused) channel.pause();
    else channel.resume();
  }

  #fail(reason: BackendFailure, message?: string): void {
    this.#over(() => this.#events.failed(reason, message));
  }

  #over(report: () => void): void {
    if (this.#state !== 'opening') return;
    this.#deliver();
    report();
    this.destroy();
  }

  #closed(): void {
    const handler = this.#handler;
    this.#handler = NO_HANDLER;
    handler.closed(undefined);
  }
}

/** Bytes from a client that waits for its backend session; then the client is paused. */
const MAX_HELD_BYTES = 16_384;
