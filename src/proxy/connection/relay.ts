/**
 * A client and its backend, with or without a gate between them: bytes both ways, back-pressure, half-closes, and the
 * reports that the owner of the connection acts on.
 */
import { Gate } from '../../smtp/gate.js';
import type { GateOptions } from '../../smtp/gate-options.js';
import { NO_HANDLER, type ChannelHandler } from '../transport/channel.js';
import type { OpenEnds } from './closing.js';
import { ReplyTracker } from './reply-tracker.js';
import type { Opened } from './opening.js';
import type { RelayEvents, RelayParts } from './relay-events.js';

export class Relay {
  readonly #parts: RelayParts;
  readonly #events: RelayEvents<Relay>;
  /** Undefined once bytes pass unparsed. */
  #gate: Gate | undefined;
  /** Undefined if the protocol is not SMTP, or not parsed. */
  readonly #replies: ReplyTracker | undefined;
  #stopped = false;
  #clientOpen = true;
  #backendOpen = true;
  /** The client has closed its side. The backend gets the same end after all earlier bytes. */
  #clientEnded = false;
  #backendSpokeLast = false;
  /** Reading from the client is paused, because the client does not read our own replies. */
  #clientPaused = false;
  #closingAfterReply = false;

  constructor(parts: RelayParts, events: RelayEvents<Relay>) {
    this.#parts = parts;
    this.#events = events;
    if (parts.gate === undefined) return;
    this.#replies = new ReplyTracker();
    this.#gate = this.#newGate(parts.gate);
  }

  begin({ greeting, early, clientState }: Omit<Opened, 'client' | 'backend'>): void {
    const { client, backend } = this.#parts;
    backend.handler = this.#backendHandler();
    client.handler = this.#clientHandler();
    if (greeting.length > 0) this.#fromBackend(greeting);
    if (early.length > 0) this.#fromClient(early);
    if (clientState !== 'open') this.#clientEnds();
    if (this.#isStopped()) return;
    if (clientState === 'gone') {
      this.#clientOpen = false;
      this.#events.clientClosed(undefined, false);
      return;
    }
    backend.resume();
    client.resume();
  }

  /** Whether we may send a reply now; undefined if we never may. */
  get betweenCommands(): boolean | undefined {
    return this.mailBegan ? this.#replies?.answered : true;
  }

  /** A transaction began, or bytes are relayed unparsed. */
  get mailBegan(): boolean {
    return this.#gate?.mailBegan !== false;
  }

  get greeted(): boolean {
    return this.#gate?.greeted ?? true;
  }

  get awaitsBackend(): boolean {
    return this.#gate?.awaitsBackend === true;
  }

  /** Reads no more commands; `answered` is called when the outstanding reply was relayed. */
  closeAfterReply(): void {
    this.#closingAfterReply = true;
    this.#parts.client.pause();
  }

  /** Detaches from both channels. @returns those that are open */
  stop(): OpenEnds {
    this.#stopped = true;
    this.#gate?.stop();
    this.#leaveGate();
    const { client, backend, tap } = this.#parts;
    // A reset is no end of what the client sends.
    tap?.end(this.#clientEnded || !this.#clientOpen ? 'client' : 'backend');
    if (this.#clientOpen) client.handler = NO_HANDLER;
    if (this.#backendOpen) backend.handler = NO_HANDLER;
    return {
      client: this.#clientOpen ? client : undefined,
      backend: this.#backendOpen ? backend : undefined,
    };
  }

  #clientHandler(): ChannelHandler {
    const { backend } = this.#parts;
    return {
      data: (bytes) => this.#fromClient(bytes),
      full: () => this.#pauseForClient(),
      drain: () => {
        backend.resume();
        if (this.#clientPaused) this.#readClient();
      },
      end: () => this.#clientEnds(),
      closed: (error) => {
        this.#clientOpen = false;
        this.#parts.tap?.end('client');
        const isCut = error !== undefined && !this.#clientEnded;
        this.#events.clientClosed(this.#isOver() ? undefined : error, isCut);
      },
    };
  }

  #clientEnds(): void {
    if (this.#stopped) return;
    this.#clientEnded = true;
    if (this.#gate?.greeted === false && !this.#gate.holdsBack) this.#events.clientLeft();
    else this.#passOnEnd();
  }

  /** Whether a reset by the client loses nothing: it has closed its side, or the backend sent the last bytes. */
  #isOver(): boolean {
    if (this.#clientEnded || this.#replies?.backendCloses === true) return true;
    return this.#parts.gate === undefined && this.#backendSpokeLast;
  }

  #fromClient(bytes: Buffer): void {
    if (this.#stopped) return;
    this.#parts.record.fromClient += bytes.length;
    this.#parts.tap?.fromClient(bytes);
    const gate = this.#gate;
    if (gate === undefined) {
      this.#events.active();
      this.#toBackend(bytes);
      return;
    }
    // Between transactions only a complete line extends the timeout; single bytes do not.
    const counts = gate.mailBegan || (gate.greeted && bytes.includes(LF));
    if (counts && !gate.refusing) this.#events.active();
    gate.fromClient(bytes);
  }

  #toBackend(bytes: Buffer): void {
    this.#replies?.toBackend();
    this.#backendSpokeLast = false;
    if (this.#backendOpen) this.#parts.backend.write(bytes);
  }

  #passOnEnd(): void {
    if (this.#gate?.holdsBack !== true && this.#backendOpen) this.#parts.backend.end();
  }

  /** While the gate parses, we too send replies to a client that does not read; later only the backend does. */
  #pauseForClient(): void {
    this.#parts.backend.pause();
    if (this.#gate === undefined) return;
    this.#clientPaused = true;
    this.#parts.client.pause();
  }

  #readClient(): void {
    this.#clientPaused = false;
    if (!this.#closingAfterReply) this.#parts.client.resume();
  }

  #backendHandler(): ChannelHandler {
    return {
      data: (bytes) => this.#fromBackend(bytes),
      full: () => this.#parts.client.pause(),
      drain: () => this.#readClient(),
      end: () => this.#backendEnds(undefined),
      closed: (error) => {
        this.#backendOpen = false;
        this.#backendEnds(this.#replies?.backendCloses === true ? undefined : error);
      },
    };
  }

  #fromBackend(bytes: Buffer): void {
    if (this.#stopped) return;
    this.#parts.tap?.fromBackend(bytes);
    this.#backendSpokeLast = true;
    const gate = this.#gate;
    if (gate === undefined) {
      this.#events.active();
      this.#toClient(bytes);
      return;
    }
    const { greeted } = gate;
    if (greeted) this.#events.active();
    gate.fromBackend(bytes);
    if (this.#isStopped()) return;
    if (!greeted && gate.greeted && this.#gate === gate) this.#events.greeted(this);
    if (this.#clientEnded) this.#passOnEnd();
  }

  #toClient(bytes: Buffer): void {
    this.#parts.record.toClient += bytes.length;
    if (this.#clientOpen) this.#parts.client.write(bytes);
    this.#replies?.toClient(bytes);
    if (this.#closingAfterReply && this.#replies?.answered === true) this.#events.answered();
  }

  /** A client that has closed its side expects nothing; any other client gets the reply that it waits for. */
  #backendEnds(error: Error | undefined): void {
    if (this.#stopped) return;
    this.#parts.tap?.end(this.#clientEnded ? 'client' : 'backend');
    const gate = this.#clientEnded ? undefined : this.#gate;
    if (gate?.greeted === false) {
      this.#events.backendLeft('backend_closed');
      return;
    }
    gate?.backendEnds();
    if (this.#isStopped()) return;
    const replies = this.#clientEnded ? undefined : this.#replies;
    if (gate === undefined && replies?.owesReply === true) this.#events.backendGone();
    else if (error === undefined && replies?.awaitsCommand === true) this.#events.backendLeft('backend_left');
    else this.#events.backendEnded(error);
  }

  #newGate(options: GateOptions): Gate {
    return new Gate(options, {
      toClient: (bytes) => this.#toClient(bytes),
      toBackend: (bytes) => this.#toBackend(bytes),
      replied: (to, reply) => this.#parts.replied?.(to, reply, this.#gate?.heloName),
      mayStartTls: () => this.#events.mayStartTls(),
      starttlsDeclined: () => this.#events.starttlsDeclined(),
      startTls: () => this.#events.startTls(this),
      passThrough: () => {
        this.#leaveGate();
        this.#events.mailBegan(this);
      },
      mailBegins: () => this.#events.mailBegan(this),
      refuse: (reason) => this.#events.refused(reason),
    });
  }

  #leaveGate(): void {
    this.#parts.record.setHelo(this.#gate?.heloName);
    this.#gate = undefined;
  }

  /** As a method, because the gate may have stopped this relay since the compiler narrowed it. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}

const LF = 0x0a;
