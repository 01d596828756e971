/** The phase in which TLS with the client is established. A backend that answered STARTTLS itself waits meanwhile. */
import { TlsAcceptor, type TlsEvents, type TlsProfile } from '../termination/tls-acceptor.js';
import type { EngineServices } from '../termination/engine-channel.js';
import { NO_HANDLER } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import type { OpenEnds } from './closing.js';

export interface HandshakingParts {
  readonly client: SocketChannel;
  /** Undefined where the session with the backend is made once TLS is established. */
  readonly backend: SocketChannel | undefined;
  readonly profile: TlsProfile;
  readonly services: EngineServices;
}

export interface HandshakingEvents extends TlsEvents {
  backendLeft(): void;
}

export class Handshaking {
  readonly #acceptor: TlsAcceptor;
  readonly #events: HandshakingEvents;
  #backend: SocketChannel | undefined;

  constructor({ client, backend, profile, services }: HandshakingParts, events: HandshakingEvents) {
    this.#acceptor = new TlsAcceptor(client, profile, services, events);
    this.#events = events;
    this.#backend = backend;
  }

  begin(): void {
    if (this.#backend !== undefined) this.#watch(this.#backend);
    this.#acceptor.begin();
  }

  /** What the client owes. */
  get waitingFor(): string {
    return this.#acceptor.waitingFor;
  }

  /** @returns what is open; the TLS that is being established stays part of the client's channel */
  stop(): OpenEnds {
    return { client: this.#acceptor.channel, backend: this.#backend };
  }

  /** A backend that waits for TLS sends nothing; it can only leave, and the client cannot be told in clear any more. */
  #watch(backend: SocketChannel): void {
    const left = (): void => this.#events.backendLeft();
    const closed = (): void => {
      // It reports this once; nothing may wait for it again.
      this.#backend = undefined;
      left();
    };
    backend.handler = { ...NO_HANDLER, data: left, end: left, closed };
    backend.resume();
  }
}
