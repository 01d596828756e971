/** The timeout of a connection, one at a time, and how the connection ends after it. */
import type { Failure } from '../../observe/connection-record.js';
import type { Closing } from './closing.js';
import * as ending from './ending.js';
import type { Handshaking } from './handshaking.js';
import type { ConnectionPlan } from './plan.js';
import type { Relay } from './relay.js';
import type { SessionOpening } from './session-opening.js';

export interface TimeoutEvents {
  /** Ends the connection, with a reply of ours if there is one. */
  end(ending: ending.Ending): void;
  /** Ends it at once, and the client does not get close_notify. */
  cut(failure: Failure): void;
  /** Ends it at once. */
  abort(failure: Failure): void;
}

/** Each method replaces the current timeout. */
export class Timeouts {
  readonly #limits: ConnectionPlan['limits'];
  readonly #idleTimeout: number;
  readonly #events: TimeoutEvents;
  #timer: NodeJS.Timeout | undefined;
  /** Only `awaitClose` replaces this timeout: neither the backend nor the client may delay the end of the process. */
  #awaitsLastReply = false;

  constructor({ limits, listener }: ConnectionPlan, events: TimeoutEvents) {
    this.#limits = limits;
    this.#idleTimeout = listener.mode === 'tcp' ? limits.tcpIdleTimeout : limits.idleTimeout;
    this.#events = events;
  }

  awaitSession({ due, timeoutMs, gate }: SessionOpening): void {
    this.#await(timeoutMs, () => {
      const { failure, reply } = backendLate(due);
      this.#events.end({ failure, reply: gate === undefined ? undefined : reply });
    });
  }

  awaitGreeting(): void {
    this.#await(this.#limits.greetingTimeout, () => this.#events.end(backendLate('its greeting')));
  }

  awaitCommands(relay: Relay): void {
    this.#await(this.#limits.commandTimeout, () => {
      if (!relay.awaitsBackend) this.#events.end(ending.IDLE);
      else this.#events.end(ending.backendFailure('backend_timeout', 'backend_reply_timeout'));
    });
  }

  /** For commands, or for bytes once a transaction began. */
  awaitClient(relay: Relay): void {
    if (relay.mailBegan) this.awaitBytes(relay);
    else this.awaitCommands(relay);
  }

  awaitBytes(relay: Relay): void {
    const { failure, reply } = ending.IDLE;
    this.#await(this.#idleTimeout, () => {
      if (relay.betweenCommands === true) this.#events.end({ failure, reply });
      else this.#events.cut(failure);
    });
  }

  awaitHandshake(handshaking: Handshaking): void {
    this.#await(this.#limits.handshakeTimeout, () =>
      this.#events.abort(ending.clientTimeout(handshaking.waitingFor)),
    );
  }

  /** When the proxy stops. */
  awaitLastReply({ failure }: ending.Ending): void {
    this.#await(LAST_REPLY_TIMEOUT_MS, () => this.#events.abort(failure));
    this.#awaitsLastReply = true;
  }

  awaitClose(closing: Closing): void {
    this.#awaitsLastReply = false;
    this.#await(CLOSE_TIMEOUT_MS, () => closing.destroy());
  }

  /** Starts the current timeout again. */
  extend(): void {
    if (!this.#awaitsLastReply) this.#timer?.refresh();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #await(milliseconds: number, expired: () => void): void {
    if (this.#awaitsLastReply) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(expired, milliseconds);
  }
}

function backendLate(due: string): ending.Ending {
  const meaning = `${due} did not come in time`;
  return ending.backendFailure('backend_timeout', 'backend_greeting_timeout', meaning);
}

/** For a peer to close after we did. */
const CLOSE_TIMEOUT_MS = 10_000;
/** For a backend to answer the last command, when the proxy stops. */
const LAST_REPLY_TIMEOUT_MS = 5_000;
