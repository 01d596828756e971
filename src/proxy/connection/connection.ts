/** One client from accept to close: its phases, each in a file of its own, and the one log event at the end. */
import { ConnectionRecord, type ConnectionEvent, type Failure } from '../../observe/connection-record.js';
import { SessionTap } from '../../observe/tap/session-tap.js';
import { ownReply } from '../../smtp/replies.js';
import { DeferredBackend } from '../backend/deferred-backend.js';
import { quitAndClose } from '../backend/open-session.js';
import type { Channel } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { Closing, type OpenEnds } from './closing.js';
import * as ending from './ending.js';
import { deferBackend, learntFor } from './first-session.js';
import { HandshakeSlot } from './handshake-slot.js';
import { Handshaking } from './handshaking.js';
import { Opening, type Opened } from './opening.js';
import { plaintextSession, type ConnectionPlan, type ConnectionServices } from './plan.js';
import { leave, type Phase } from './phase.js';
import { Relay } from './relay.js';
import type { RelayedSession, RelayEvents } from './relay-events.js';
import {
  bridgedOpening,
  encryptedOpening,
  newAttempt,
  passthroughOpening,
  plaintextOpening,
  type SessionOpening,
} from './session-opening.js';
import { Timeouts } from './timeouts.js';

export class ProxiedConnection {
  readonly record: ConnectionRecord;
  readonly #plan: ConnectionPlan;
  readonly #services: ConnectionServices;
  readonly #finished: (event: ConnectionEvent) => void;
  readonly #raw: SocketChannel;
  readonly #timeouts: Timeouts;
  readonly #slot: HandshakeSlot;
  #phase: Phase | undefined;

  constructor(
    plan: ConnectionPlan,
    client: SocketChannel,
    services: ConnectionServices,
    finished: (event: ConnectionEvent) => void,
  ) {
    this.#plan = plan;
    this.#services = services;
    this.#slot = new HandshakeSlot(services.handshakes);
    this.#finished = finished;
    this.record = new ConnectionRecord(plan.listener.name, plan.client);
    this.#timeouts = new Timeouts(plan, {
      end: (how) => this.#end(how),
      cut: (failure) => this.#cut(failure),
      abort: (failure) => this.abort(failure),
    });
    this.#raw = client;
  }

  start(): void {
    const { log, listener, client } = this.#plan;
    const { id } = this.record;
    log('connection_opened', { connection: id, listener: listener.name, client, pid: process.pid });
    if (this.#plan.backend.config.tls === 'observe')
      this.#open(this.#raw, passthroughOpening(this.#plan, this.record, NOTHING));
    else if (listener.mode === 'starttls') this.#firstSession();
    else if (this.#mayHandshake()) this.#handshake(undefined);
    else this.#close({ client: this.#raw }, 'end');
  }

  /**
   * The proxy stops: a client between two commands gets 421 (RFC 5321, 3.8), one whose command the backend has not
   * answered gets that answer first, if it comes soon. Every other connection is cut.
   */
  shutDown(): void {
    const phase = this.#phase;
    const { failure, reply } = ending.SHUTDOWN;
    switch (phase?.kind) {
      case 'opening':
        this.#end({ failure, reply: phase.smtp ? reply : undefined });
        return;
      case 'relaying':
        if (phase.relay.betweenCommands === true) this.#end({ failure, reply });
        else if (phase.relay.betweenCommands === undefined) this.#cut(failure);
        else {
          this.record.recordFailure(failure);
          phase.relay.closeAfterReply();
          this.#timeouts.awaitLastReply(ending.SHUTDOWN);
        }
        return;
      case 'handshaking':
        this.abort(failure);
        return;
      case 'closing':
      case undefined:
    }
  }

  /** Ends at once; what is in flight is lost to this client, never to a backend that acknowledged it. */
  abort(failure: Failure): void {
    this.record.recordFailure(failure);
    this.#close(this.#leave(), 'destroy');
    if (this.#phase?.kind === 'closing') this.#phase.closing.destroy();
  }

  // ---- opening ----

  /** In clear; where the backend is known well enough, without it for now. */
  #firstSession(): void {
    const { backend } = this.#plan;
    const { security, gate } = plaintextSession(this.#plan);
    const learnt = learntFor(backend, gate);
    if (learnt === undefined) this.#open(this.#raw, plaintextOpening(this.#plan, this.record));
    else {
      const attempt = newAttempt(this.#plan, this.record, undefined)({ security, smtp: true });
      const deferred = deferBackend(this.#plan, learnt, attempt, {
        opening: () => this.#timeouts.awaitGreeting(),
        ready: () => {
          if (this.#phase?.kind === 'relaying') this.#timeouts.awaitClient(this.#phase.relay);
        },
        ended: (ended, reply) => this.#end(ended, reply),
      });
      const { greeting } = learnt;
      const opened = {
        client: this.#raw,
        backend: deferred,
        greeting,
        early: NOTHING,
        clientState: 'open' as const,
      };
      this.#relay(opened, { gate, replied: undefined });
    }
  }

  #open(client: Channel, session: SessionOpening): void {
    const { gate, replied } = session;
    const smtp = gate !== undefined;
    const replies = this.#isTcp ? 'optional' : 'awaited';
    const opening = new Opening(client, replies, {
      ready: (opened) => this.#relay(opened, { gate, replied }),
      failed: ({ reason, message }) => {
        const { failure, reply } = ending.backendFailure('backend_failed', reason, message);
        this.#end({ failure, reply: smtp ? reply : undefined });
      },
      clientLeft: () => this.#close(this.#leave(), 'destroy'),
      overflowed: () => {
        if (smtp) this.#end(ending.tooEarly());
      },
      clientClosed: (error) => this.#clientClosed(error),
    });
    this.#phase = { kind: 'opening', opening, smtp };
    this.#timeouts.awaitSession(session);
    opening.begin(session.early, session.attempt);
  }

  // ---- relaying ----

  #relay(opened: Opened, session: RelayedSession): void {
    const { client, backend } = opened;
    const { gate } = session;
    const { record } = this;
    const tap =
      gate === undefined && record.tls === undefined
        ? new SessionTap(record, this.#plan.listener.mode)
        : undefined;
    const parts = { client, backend, record, tap, ...session };
    const relay = new Relay(parts, this.#relayEvents(opened));
    this.#phase = { kind: 'relaying', relay };
    if (gate === undefined) this.#timeouts.awaitBytes(relay);
    else if (relay.greeted) this.#timeouts.awaitCommands(relay);
    else this.#timeouts.awaitGreeting();
    relay.begin(opened);
  }

  #relayEvents({ client, backend }: Opened): RelayEvents<Relay> {
    // What the client sends meanwhile gives the backend no more time.
    const isOpening = (): boolean => backend instanceof DeferredBackend && backend.opening;
    return {
      active: () => {
        if (!isOpening()) this.#timeouts.extend();
      },
      greeted: (relay) => this.#timeouts.awaitCommands(relay),
      mailBegan: (relay) => {
        if (!isOpening()) this.#timeouts.awaitBytes(relay);
      },
      mayStartTls: () => this.#mayHandshake(),
      starttlsDeclined: () => this.#slot.release(),
      startTls: (relay) => {
        relay.stop();
        client.pause();
        if (backend instanceof DeferredBackend) backend.leave();
        else if (this.#plan.backend.config.tls !== 'bridge') quitAndClose(backend);
        else {
          this.#handshake(backend);
          return;
        }
        this.#handshake(undefined);
      },
      refused: (reason) => this.#end(ending.gateRefusal(reason)),
      clientLeft: () => this.#close(this.#leave(), 'destroy'),
      clientClosed: (error) => this.#clientClosed(error),
      backendLeft: (reason) => this.#end(ending.backendFailure('backend_failed', reason)),
      backendGone: () => {
        this.record.recordFailure(ending.gateRefusal('backend_gone').failure);
        this.#close(this.#leave(), 'end');
      },
      backendEnded: (error) => {
        if (error !== undefined && this.#isTcp) {
          this.#cut(ending.backendReset(error));
          return;
        }
        if (error !== undefined) this.record.recordFailure(ending.backendReset(error));
        this.#close(this.#leave(), 'end');
      },
      answered: () => this.#end(ending.SHUTDOWN),
    };
  }

  // ---- handshaking ----

  #handshake(backend: SocketChannel | undefined): void {
    this.record.handshakeStarted();
    const { tls: profile, listener } = this.#plan;
    const parts = { client: this.#raw, backend, profile, services: this.#services };
    const handshaking = new Handshaking(parts, {
      hello: (hello) => this.record.setHello(hello),
      established: (channel, info, certificate) => {
        this.#slot.release();
        this.record.established(info);
        const opening =
          backend === undefined
            ? encryptedOpening(this.#plan, this.record, info, certificate)
            : bridgedOpening(this.#plan, backend, info);
        this.#open(channel, opening);
      },
      passthrough: (bytes) => {
        this.#slot.release();
        const early = { client: this.#raw, greeting: NOTHING, early: bytes, clientState: 'open' as const };
        if (backend !== undefined)
          this.#relay({ ...early, backend }, { gate: undefined, replied: undefined });
        else this.#open(this.#raw, passthroughOpening(this.#plan, this.record, bytes));
      },
      failed: (failure) => {
        this.record.recordFailure(failure);
        if (this.#phase?.kind === 'handshaking') this.#close(this.#leave(), 'destroy');
      },
      plaintext: (bytes) => this.#end(ending.plaintextInsteadOfTls(bytes, listener.mode)),
      closed: (error) => {
        this.record.recordFailure(ending.clientGone(error, handshaking.waitingFor));
        this.#clientClosed(error);
      },
      backendLeft: () => this.abort(ending.backendFailure('backend_failed', 'backend_closed').failure),
    });
    this.#phase = { kind: 'handshaking', handshaking };
    this.#timeouts.awaitHandshake(handshaking);
    handshaking.begin();
  }

  /** Whether the limits allow one more handshake, which is then counted until it is over. */
  #mayHandshake(): boolean {
    const over = this.#slot.take(this.#plan.client.address, this.#plan.limits);
    if (over !== undefined) this.record.recordFailure(ending.overLimit(over));
    return over === undefined;
  }

  // ---- closing ----

  /** A client that can read no reply of ours gets no close_notify either: it must not take this for the end of its data. */
  #cut(failure: Failure): void {
    this.record.recordFailure(failure);
    const ends = this.#leave();
    ends.client?.destroy();
    this.#close(ends, 'destroy');
  }

  #clientClosed(error: Error | undefined): void {
    if (error !== undefined) this.record.recordFailure(ending.clientGone(error, undefined));
    const { backend } = this.#leave();
    const damaged = error !== undefined || (this.#isTcp && this.record.failed);
    this.#close({ backend }, damaged ? 'destroy' : 'end');
  }

  /** With a reply of ours, if there is one, or with the backend's in its place. */
  #end({ failure, reply }: ending.Ending, backendReply?: Buffer): void {
    this.record.recordFailure(failure);
    const ends = this.#leave();
    const bytes = backendReply ?? (reply && ownReply(reply, this.#plan.hostname));
    if (bytes !== undefined && ends.client !== undefined) {
      this.record.toClient += bytes.length;
      ends.client.write(bytes);
    }
    this.#close(ends, 'destroy');
  }

  /** In other protocols than SMTP the end of the data may be the end of the connection. */
  get #isTcp(): boolean {
    return this.#plan.listener.mode === 'tcp';
  }

  #leave(): OpenEnds {
    return leave(this.#phase);
  }

  /** @param backend how its session ends, see Closing */
  #close(ends: OpenEnds, backend: 'end' | 'destroy'): void {
    if (this.#phase?.kind === 'closing') return;
    this.#slot.release();
    const closing = new Closing(() => {
      this.#timeouts.clear();
      this.#finished(this.record.event());
    });
    this.#phase = { kind: 'closing', closing };
    this.#timeouts.awaitClose(closing);
    closing.begin(ends, backend === 'destroy' && this.#isTcp ? 'reset' : backend);
  }
}

const NOTHING = Buffer.alloc(0);
