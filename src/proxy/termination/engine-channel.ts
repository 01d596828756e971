/** Our TLS engine on top of a raw channel: plaintext on one side, records on the other. */
import {
  describeWait,
  ServerConnection,
  type Accepted,
  type ConnectionOutput,
  type Established,
  type OperationResult,
  type Outcome,
  type ServerParameters,
  type Wait,
} from '../../tls/index.js';
import type { KeyRing } from '../../credentials/keys.js';
import { NO_HANDLER, type Channel, type ChannelHandler } from '../transport/channel.js';
import type { SessionStore } from '../resumption/session-store.js';

export interface EngineEvents {
  established(established: Established): void;
  /** How TLS ended; `closed` of the handler follows when the transport has closed too. */
  ended(outcome: Outcome): void;
}

export interface EngineServices {
  readonly keys: KeyRing;
  readonly sessions: SessionStore;
}

export class EngineChannel implements Channel {
  handler: ChannelHandler = NO_HANDLER;
  readonly #raw: Channel;
  readonly #events: EngineEvents;
  readonly #connection: ServerConnection;
  #paused = false;
  /** Plaintext that came in one piece with what made the host pause. */
  #held: Buffer[] = [];
  #ended = false;
  /** What the handshake waited for when the connection ended. */
  #lastWait: Wait | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(raw: Channel, parameters: ServerParameters, services: EngineServices, events: EngineEvents) {
    this.#raw = raw;
    this.#events = events;
    this.#connection = new ServerConnection(parameters, this.#output(services));
    raw.handler = {
      data: (bytes) => this.#receive(bytes),
      full: () => this.handler.full(),
      drain: () => this.handler.drain(),
      end: () => this.#transportEnded(),
      closed: (error) => {
        clearTimeout(this.#linger);
        this.#connection.abandon();
        this.handler.closed(error);
      },
    };
  }

  /** What the handshake waits for, or waited for when it ended. */
  get waitingFor(): string {
    return describeWait(this.#connection.wait ?? this.#lastWait);
  }

  /** What was read from the raw channel before the engine existed. */
  accept(accepted: Accepted): void {
    this.#connection.accept(accepted);
    this.#regulate();
  }

  write(bytes: Uint8Array): void {
    this.#connection.send(bytes);
  }

  end(): void {
    this.#connection.close();
  }

  destroy(): void {
    this.#connection.abandon();
    this.#raw.destroy();
  }

  pause(): void {
    this.#paused = true;
    this.#raw.pause();
  }

  resume(): void {
    this.#paused = false;
    while (this.#held.length > 0 && !this.#isPaused()) this.handler.data(this.#held.shift()!);
    if (this.#isPaused()) return;
    if (this.#connection.wantsInput || this.#ended) this.#raw.resume();
  }

  /** As a method, because a handler may have paused since the compiler last looked. */
  #isPaused(): boolean {
    return this.#paused;
  }

  #receive(bytes: Buffer): void {
    if (this.#ended) return;
    this.#connection.receive(bytes);
    this.#regulate();
  }

  /** The engine reads nothing while it waits for a key operation; the socket must not pile up for it. */
  #regulate(): void {
    if (this.#paused || !(this.#connection.wantsInput || this.#ended)) this.#raw.pause();
    else this.#raw.resume();
  }

  #output({ keys, sessions }: EngineServices): ConnectionOutput {
    return {
      transmit: (bytes) => this.#raw.write(bytes),
      deliver: (plaintext) => {
        if (this.#paused) this.#held.push(Buffer.from(plaintext));
        else this.handler.data(plaintext);
      },
      operate: (operation) => {
        const done = (result: OperationResult): void => {
          this.#connection.complete(result);
          this.#regulate();
        };
        if (operation.kind === 'find_session') sessions.find(operation.sessionId, done);
        else keys.operate(operation, done);
      },
      established: (established) => this.#events.established(established),
      saveSession: (id, session) => sessions.save(id, session),
      forgetSession: (id) => sessions.forget(id),
      ended: (outcome, wait) => {
        this.#lastWait = wait;
        if (outcome.kind !== 'abandoned') this.#end(outcome);
      },
    };
  }

  #end(outcome: Outcome): void {
    this.#ended = true;
    this.#events.ended(outcome);
    const secretDependent = outcome.kind === 'refused' && outcome.error.reason === 'bad_record_mac';
    if (secretDependent) this.#linger = setTimeout(() => this.#sendFinalBytes(outcome), untilQuantum());
    else this.#sendFinalBytes(outcome);
  }

  /** Half-closes and drains: closing with unread input would make the kernel send a reset that overtakes the alert. */
  #sendFinalBytes(outcome: Outcome): void {
    const { finalBytes, kind } = outcome;
    // The limit cuts data off, and close_notify would make that an end.
    if (finalBytes.length > 0 && kind !== 'data_limit') this.#raw.write(finalBytes);
    this.#raw.end();
    this.#raw.resume();
    // The host, which may have written much before it closed, has its own limit for that.
    const byHost = outcome.kind === 'closed' && outcome.by === 'server';
    if (!byHost) this.#linger = setTimeout(() => this.#raw.destroy(), LINGER_TIMEOUT_MS);
    if (kind === 'closed') this.#reportEnd(true);
  }

  /** Nothing can be held any longer: the transport may close now, and that is the last that a handler gets. */
  #reportEnd(orderly: boolean): void {
    for (const plaintext of this.#held.splice(0)) this.handler.data(plaintext);
    this.handler.end(orderly);
  }

  /** SMTP has no truncation attack, a message ends with its own mark; so a cut is an end, if a disorderly one. */
  #transportEnded(): void {
    // The end of our side is on its way, or is kept for its time: a client must not make it come earlier.
    if (this.#ended) return;
    this.#connection.abandon();
    this.#reportEnd(false);
    this.#raw.end();
  }
}

/**
 * Lucky 13 and its kin tell a bad MAC from bad padding by when the alert comes. The check takes the same time for both,
 * as far as JavaScript goes; what is left disappears behind the next full quantum and some noise.
 */
function untilQuantum(): number {
  return QUANTUM_MS - (performance.now() % QUANTUM_MS) + Math.random() * QUANTUM_MS;
}

const QUANTUM_MS = 50;
/** For a client to read our alert, or our answer to its close_notify, and to close. */
const LINGER_TIMEOUT_MS = 2_000;
