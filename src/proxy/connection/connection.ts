/**
 * One client from accept to close. It owns the connection's phases, its timer, its place among the handshakes and the one
 * log event at the end; what happens within a phase is in the file of that phase.
 */
import type { CertificateInfo } from '../../credentials/certificate-info.js';
import { ConnectionRecord, type ConnectionEvent, type Failure } from '../../observe/connection-record.js';
import { SessionTap } from '../../observe/tap/session-tap.js';
import type { GateOptions } from '../../smtp/gate-options.js';
import { ownReply } from '../../smtp/replies.js';
import { DeferredBackend } from '../backend/deferred-backend.js';
import { openBackendSession, quitAndClose } from '../backend/open-session.js';
import { TlsAcceptor } from '../termination/tls-acceptor.js';
import { NO_HANDLER, type Channel } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { Closing, type OpenEnds } from './closing.js';
import { Deadline } from './deadline.js';
import * as ending from './ending.js';
import { deferBackend, learnFrom } from './first-session.js';
import { HandshakeSlot } from './handshake-slot.js';
import { Opening, type Attempt, type Opened } from './opening.js';
import {
  bridgedGate,
  clientIdentity,
  encryptedSession,
  plaintextSession,
  type ConnectionPlan,
  type ConnectionServices,
  type SessionPlan,
} from './plan.js';
import { leave, type Phase } from './phase.js';
import { Relay } from './relay.js';
import type { RelayedSession, RelayEvents, RepliedHandler } from './relay-events.js';

export class ProxiedConnection {
  readonly record: ConnectionRecord;
  readonly #plan: ConnectionPlan;
  readonly #services: ConnectionServices;
  readonly #finished: (event: ConnectionEvent) => void;
  readonly #raw: SocketChannel;
  readonly #deadline = new Deadline();
  readonly #slot: HandshakeSlot;
  #phase: Phase | undefined;
  /** The certificate that the client was shown. */
  #certificate: CertificateInfo | undefined;

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
    this.#raw = client;
  }

  start(): void {
    const { log, listener, client } = this.#plan;
    const { id } = this.record;
    log('connection_opened', { connection: id, listener: listener.name, client, pid: process.pid });
    if (this.#plan.backend.config.tls === 'observe') this.#openPassthrough(NOTHING);
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
          this.#deadline.set(LAST_REPLY_TIMEOUT_MS, () => this.abort(failure));
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
    const session = plaintextSession(this.#plan);
    const learnt = backend.learnt?.replies(performance.now());
    if (learnt === undefined) this.#openSession(this.#raw, session, learnFrom(backend.learnt, 'clear'));
    else {
      const deferred = deferBackend(backend, learnt, this.#attempt(session.security, true), {
        opening: () => this.#awaitGreeting(),
        ready: () => this.#awaitClient(),
        ended: (ended, reply) => this.#end(ended, reply),
      });
      const { greeting } = learnt;
      const opened = { client: this.#raw, backend: deferred, greeting, early: NOTHING, clientEnded: false };
      this.#relay(opened, { gate: session.gate, replied: undefined });
    }
  }

  #openSession(client: Channel, { security, gate }: SessionPlan, replied: RepliedHandler | undefined): void {
    const due = gate === undefined ? 'its connection' : 'its greeting';
    const session = { early: NOTHING, gate, replied };
    this.#open(client, session, this.#attempt(security, gate !== undefined), due);
  }

  /** The backend's own TLS is to serve the client. @param early what came of its TLS */
  #openPassthrough(early: Buffer): void {
    const session = { early, gate: undefined, replied: undefined };
    this.#open(this.#raw, session, this.#attempt('none', false), 'its connection');
  }

  #attempt(security: SessionPlan['security'], smtp: boolean): Attempt {
    const identity = clientIdentity(this.#plan, this.record, this.#certificate);
    return ({ ready, failed }) =>
      openBackendSession(
        this.#plan.backend,
        identity,
        { security, smtp },
        {
          ready: (channel, greeting) => {
            this.record.backendSessions += 1;
            ready(channel, greeting);
          },
          failed,
        },
      );
  }

  /** The backend sent 220 to the client's STARTTLS and waits for TLS, in the very session the client spoke in. */
  #secureBackend(client: Channel, backend: SocketChannel, gate: GateOptions): void {
    const attempt: Attempt = ({ ready, failed }) =>
      this.#plan.backend.tls!.secure(backend, { secured: (secured) => ready(secured, NOTHING), failed });
    this.#open(client, { early: NOTHING, gate, replied: undefined }, attempt, 'the TLS of the backend');
  }

  /**
   * @param gate undefined where the client can read no reply of ours: it speaks another protocol, or the backend's own TLS
   *   serves it
   * @param due what is missing when it takes too long
   */
  #open(
    client: Channel,
    { early, ...session }: { readonly early: Buffer } & RelayedSession,
    attempt: Attempt,
    due: string,
  ): void {
    const { gate } = session;
    const smtp = gate !== undefined;
    const opening = new Opening(client, {
      ready: (opened) => this.#relay(opened, session),
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
    const { greetingTimeout, handshakeTimeout } = this.#plan.limits;
    const timeout = gate?.greeting === 'none' ? handshakeTimeout : greetingTimeout;
    this.#deadline.set(timeout, () => this.#backendTimedOut(due));
    opening.begin(early, attempt);
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
    if (gate === undefined) this.#awaitBytes(relay);
    else if (relay.greeted) this.#awaitCommands(relay);
    else this.#awaitGreeting();
    relay.begin(opened);
  }

  #relayEvents({ client, backend }: Opened): RelayEvents<Relay> {
    // What the client sends meanwhile gives the backend no more time.
    const isOpening = (): boolean => backend instanceof DeferredBackend && backend.opening;
    return {
      active: () => {
        if (!isOpening()) this.#deadline.extend();
      },
      greeted: (relay) => this.#awaitCommands(relay),
      mailBegan: (relay) => {
        if (!isOpening()) this.#awaitBytes(relay);
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
        if (error !== undefined && this.#plan.listener.mode === 'tcp') {
          this.#cut(ending.backendReset(error));
          return;
        }
        if (error !== undefined) this.record.recordFailure(ending.backendReset(error));
        this.#close(this.#leave(), 'end');
      },
      answered: () => this.#end(ending.SHUTDOWN),
    };
  }

  #awaitGreeting(): void {
    this.#deadline.set(this.#plan.limits.greetingTimeout, () => this.#backendTimedOut('its greeting'));
  }

  /** A backend session that was made for a client in the middle of its session is ready. */
  #awaitClient(): void {
    if (this.#phase?.kind !== 'relaying') return;
    const { relay } = this.#phase;
    if (relay.mailBegan) this.#awaitBytes(relay);
    else this.#awaitCommands(relay);
  }

  #awaitCommands(relay: Relay): void {
    const { limits } = this.#plan;
    this.#deadline.set(limits.commandTimeout, () => {
      if (!relay.awaitsBackend) this.#end(ending.IDLE);
      else this.#end(ending.backendFailure('backend_timeout', 'backend_reply_timeout'));
    });
  }

  #awaitBytes(relay: Relay): void {
    const { failure, reply } = ending.IDLE;
    const { listener, limits } = this.#plan;
    this.#deadline.set(listener.mode === 'tcp' ? limits.tcpIdleTimeout : limits.idleTimeout, () => {
      if (relay.betweenCommands === true) this.#end({ failure, reply });
      else this.#cut(failure);
    });
  }

  // ---- handshaking ----

  #handshake(backend: SocketChannel | undefined): void {
    this.record.handshakeStarted();
    const acceptor = new TlsAcceptor(this.#raw, this.#plan.tls, this.#services, {
      hello: (hello) => this.record.setHello(hello),
      established: (channel, info, certificate) => {
        this.#slot.release();
        this.record.established(info);
        this.#certificate = certificate;
        if (backend === undefined) {
          const replied = learnFrom(this.#plan.backend.learnt, 'tls');
          this.#openSession(channel, encryptedSession(this.#plan, info), replied);
        } else this.#secureBackend(channel, backend, bridgedGate(this.#plan, info));
      },
      passthrough: (bytes) => {
        this.#slot.release();
        if (backend === undefined) this.#openPassthrough(bytes);
        else {
          const opened = { client: this.#raw, backend, greeting: NOTHING, early: bytes, clientEnded: false };
          this.#relay(opened, { gate: undefined, replied: undefined });
        }
      },
      failed: (failure) => {
        this.record.recordFailure(failure);
        if (this.#phase?.kind === 'handshaking') this.#close(this.#leave(), 'destroy');
      },
      plaintext: (bytes) => this.#end(ending.plaintextInsteadOfTls(bytes, this.#plan.listener.mode)),
      closed: (error) => {
        this.record.recordFailure(ending.clientGone(error, acceptor.waitingFor));
        this.#clientClosed(error);
      },
    });
    this.#phase = { kind: 'handshaking', acceptor, backend };
    if (backend !== undefined) this.#watchBackend(backend);
    this.#deadline.set(this.#plan.limits.handshakeTimeout, () => {
      this.abort(ending.clientTimeout(acceptor.waitingFor));
    });
    acceptor.begin();
  }

  /** A backend that waits for TLS sends nothing; it can only leave, and the client cannot be told in clear any more. */
  #watchBackend(backend: SocketChannel): void {
    const { failure } = ending.backendFailure('backend_failed', 'backend_closed');
    const left = (): void => this.abort(failure);
    const closed = (): void => {
      // It reports this once; nothing may wait for it again.
      if (this.#phase?.kind === 'handshaking') this.#phase = { ...this.#phase, backend: undefined };
      left();
    };
    backend.handler = { ...NO_HANDLER, data: left, end: left, closed };
    backend.resume();
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

  #backendTimedOut(what: string): void {
    const meaning = `${what} did not come in time`;
    this.#end(ending.backendFailure('backend_timeout', 'backend_greeting_timeout', meaning));
  }

  #clientClosed(error: Error | undefined): void {
    if (error !== undefined) this.record.recordFailure(ending.clientGone(error, undefined));
    const { backend } = this.#leave();
    this.#close({ backend }, error === undefined ? 'end' : 'destroy');
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

  #leave(): OpenEnds {
    return leave(this.#phase);
  }

  /** @param backend how its session ends, see Closing */
  #close(ends: OpenEnds, backend: 'end' | 'destroy'): void {
    if (this.#phase?.kind === 'closing') return;
    this.#slot.release();
    const closing = new Closing(() => {
      this.#deadline.clear();
      this.#finished(this.record.event());
    });
    this.#phase = { kind: 'closing', closing };
    this.#deadline.set(CLOSE_TIMEOUT_MS, () => closing.destroy());
    closing.begin(ends, backend);
  }
}

/** For a peer to close after we did. */
const CLOSE_TIMEOUT_MS = 10_000;
/** For a backend to answer the last command, when the proxy stops. */
const LAST_REPLY_TIMEOUT_MS = 5_000;

const NOTHING = Buffer.alloc(0);
