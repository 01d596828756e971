/**
 * The phase in which a backend session is opened and the client waits. oldhello reads from the client all the same,
 * because otherwise it would not notice that the client closes. The bytes that it reads are kept for the backend.
 */
import type { BackendError } from '../backend/backend-error.js';
import type { DeferredBackend } from '../backend/deferred-backend.js';
import type { SessionHandler } from '../backend/open-session.js';
import { NO_HANDLER, type Channel } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import type { OpenEnds } from './closing.js';

/** Begins to make a backend session. @returns a function that cancels it */
export type Attempt = (handler: SessionHandler) => () => void;

/** A backend session that is ready, or will be when it is needed. All channels are paused and have no handler. */
export interface Opened {
  readonly client: Channel;
  readonly backend: SocketChannel | DeferredBackend;
  /** The bytes that the backend has already sent. */
  readonly greeting: Buffer;
  /** The bytes that the client sent while it waited. */
  readonly early: Buffer;
  /** `ended`: the client sends nothing more; `gone`: it reads nothing more either, and its channel has closed. */
  readonly clientState: ClientState;
}

export type ClientState = 'open' | 'ended' | 'gone';

export interface OpeningEvents {
  ready(opened: Opened): void;
  failed(error: BackendError): void;
  /** The client ended its side and left nothing to deliver. */
  clientLeft(): void;
  /** The client sent more than the limit. oldhello reads no further. */
  overflowed(): void;
  clientClosed(error: Error | undefined): void;
}

export class Opening {
  readonly #client: Channel;
  readonly #events: OpeningEvents;
  readonly #replies: 'awaited' | 'optional';
  readonly #held: Buffer[] = [];
  #heldLength = 0;
  #clientState: ClientState = 'open';
  #stopped = false;
  #cancel: () => void = () => undefined;

  /**
   * @param replies `optional`: a client that has ended may still read what the backend sends first, and what it sent before
   *   it closed is for the backend all the same; `awaited`: without a reply to wait for, the client has no use for a session
   */
  constructor(client: Channel, replies: 'awaited' | 'optional', events: OpeningEvents) {
    this.#client = client;
    this.#replies = replies;
    this.#events = events;
  }

  /** @param early bytes that the client sent before; they do not count towards the limit */
  begin(early: Buffer, attempt: Attempt): void {
    if (early.length > 0) this.#held.push(early);
    this.#client.handler = {
      ...NO_HANDLER,
      data: (bytes) => this.#hold(bytes),
      end: () => this.#clientEnds(),
      closed: (error) => this.#clientCloses(error),
    };
    this.#client.resume();
    if (this.#isStopped()) return;
    this.#cancel = attempt({
      ready: (backend, greeting) => this.#ready(backend, greeting),
      failed: (error) => this.#events.failed(error),
    });
  }

  /** Cancels the attempt. */
  stop(): OpenEnds {
    this.#stopped = true;
    this.#cancel();
    return { client: this.#clientState === 'gone' ? undefined : this.#client };
  }

  #ready(backend: SocketChannel, greeting: Buffer): void {
    const client = this.#client;
    client.pause();
    client.handler = NO_HANDLER;
    const early = Buffer.concat(this.#held);
    this.#events.ready({ client, backend, greeting, early, clientState: this.#clientState });
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#heldLength += bytes.length;
    if (this.#heldLength <= MAX_HELD_BYTES) return;
    this.#client.pause();
    this.#events.overflowed();
  }

  #clientEnds(): void {
    this.#clientState = 'ended';
    if (this.#held.length === 0 && this.#replies === 'awaited') this.#events.clientLeft();
  }

  /** A client that closes right behind its end resets the connection when our own close_notify reaches it. */
  #clientCloses(error: Error | undefined): void {
    const deliverable = this.#replies === 'optional' && this.#held.length > 0;
    if (deliverable && this.#clientState === 'ended') this.#clientState = 'gone';
    else this.#events.clientClosed(error);
  }

  /** A call, because the client may have ended since the compiler last looked. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}

/** Before the greeting a client has nothing to send (RFC 5321, 4.3.1); after TLS, one EHLO. */
const MAX_HELD_BYTES = 16_384;
