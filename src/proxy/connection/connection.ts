/** One client from accept to close: its phases, each in a file of its own, and the one log event at the end. */
import { ConnectionRecord, type ConnectionEvent, type Failure } from '../../observe/connection-record.js';
import { SessionTap } from '../../observe/tap/session-tap.js';
import { DeferredBackend } from '../backend/deferred-backend.js';
import { quitAndClose } from '../backend/open-session.js';
import type { Channel } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { ConnectionState } from './connection-state.js';
import * as ending from './ending.js';
import { deferBackend, learntFor } from './first-session.js';
import { Handshaking } from './handshaking.js';
import { Opening, type Opened } from './opening.js';
import { plaintextSession, type ConnectionPlan, type ConnectionServices } from './plan.js';
import { Relay } from './relay.js';
import type { RelayedSession, RelayEvents } from './relay-events.js';
import { SessionOpenings, type SessionOpening } from './session-opening.js';
import type { Timeouts } from './timeouts.js';

export class ProxiedConnection {
  readonly record: ConnectionRecord;
  readonly #plan: ConnectionPlan;
  readonly #services: ConnectionServices;
  readonly #raw: SocketChannel;
  readonly #state: ConnectionState;
  readonly #timeouts: Timeouts;
  readonly #sessions: SessionOpenings;

  constructor(
    plan: ConnectionPlan,
    client: SocketChannel,
    services: ConnectionServices,
    finished: (event: ConnectionEvent) => void,
  ) {
    this.#plan = plan;
    this.#services = services;
    this.#raw = client;
    this.record = new ConnectionRecord(plan.listener.name, plan.client);
    this.#state = new ConnectionState(plan, this.record, services, finished);
    this.#timeouts = this.#state.timeouts;
    this.#sessions = new SessionOpenings(plan, this.record);
  }

  start(): void {
    const { log, listener, client } = this.#plan;
    const { id } = this.record;
    log('connection_opened', { connection: id, listener: listener.name, client, pid: process.pid });
    if (this.#plan.backend.config.tls === 'observe')
      this.#open(this.#raw, this.#sessions.passthrough(NOTHING));
    else if (listener.mode === 'starttls') this.#firstSession();
    else if (this.#state.mayHandshake()) this.#handshake(undefined);
    else this.#state.close({ client: this.#raw }, 'end');
  }

  /**
   * The proxy stops: a client between two commands gets 421 (RFC 5321, 3.8), one whose command the backend has not
   * answered gets that answer first, if it comes soon. Every other connection is cut.
   */
  shutDown(): void {
    const { phase } = this.#state;
    const { failure, reply } = ending.SHUTDOWN;
    switch (phase?.kind) {
      case 'opening':
        if (phase.smtp) this.#state.end({ failure, reply });
        else this.#state.cut(failure);
        return;
      case 'relaying':
        if (phase.relay.betweenCommands === true) this.#state.end({ failure, reply });
        else if (phase.relay.betweenCommands === undefined) this.#state.cut(failure);
        else {
          this.record.recordFailure(failure);
          phase.relay.closeAfterReply();
          this.#timeouts.awaitLastReply(ending.SHUTDOWN);
        }
        return;
      case 'handshaking':
        this.#state.abort(failure);
        return;
      case 'closing':
      case undefined:
    }
  }

  /** Ends at once. */
  abort(failure: Failure): void {
    this.#state.abort(failure);
  }

  // ---- opening ----

  /** In clear; where the backend is known well enough, without it for now. */
  #firstSession(): void {
    const { backend } = this.#plan;
    const { security, gate } = plaintextSession(this.#plan);
    const learnt = learntFor(backend, gate);
    if (learnt === undefined) this.#open(this.#raw, this.#sessions.plaintext());
    else {
      const attempt = this.#sessions.attempt(undefined)({ security, smtp: true });
      const deferred = deferBackend(this.#plan, learnt, attempt, {
        opening: () => this.#timeouts.awaitGreeting(),
        ready: () => {
          const { phase } = this.#state;
          if (phase?.kind === 'relaying') this.#timeouts.awaitClient(phase.relay);
        },
        ended: (ended, reply) => this.#state.end(ended, reply),
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
    const replies = this.#plan.listener.mode === 'tcp' ? 'optional' : 'awaited';
    const opening = new Opening(client, replies, {
      ready: (opened) => this.#relay(opened, { gate, replied }),
      failed: ({ reason, message }) => {
        const { failure, reply } = ending.backendFailure('backend_failed', reason, message);
        this.#state.end({ failure, reply: smtp ? reply : undefined });
      },
      clientLeft: () => this.#state.leaveAndClose('destroy'),
      overflowed: () => {
        if (smtp) this.#state.end(ending.tooEarly());
      },
      clientClosed: (error) => this.#state.clientClosed(error),
    });
    this.#state.enter({ kind: 'opening', opening, smtp });
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
    this.#state.enter({ kind: 'relaying', relay });
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
      mayStartTls: () => this.#state.mayHandshake(),
      starttlsDeclined: () => this.#state.handshakeOver(),
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
      refused: (reason) => this.#state.end(ending.gateRefusal(reason)),
      clientLeft: () => this.#state.leaveAndClose('destroy'),
      clientClosed: (error, isCut) => this.#state.clientClosed(error, isCut),
      backendLeft: (reason) => this.#state.end(ending.backendFailure('backend_failed', reason)),
      backendGone: () => {
        this.record.recordFailure(ending.gateRefusal('backend_gone').failure);
        this.#state.leaveAndClose('end');
      },
      backendEnded: (error) => {
        if (error !== undefined && this.#plan.listener.mode === 'tcp') {
          this.#state.cut(ending.backendReset(error));
          return;
        }
        if (error !== undefined) this.record.recordFailure(ending.backendReset(error));
        this.#state.leaveAndClose('end');
      },
      answered: () => this.#state.end(ending.SHUTDOWN),
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
        this.#state.handshakeOver();
        this.record.established(info);
        const opening =
          backend === undefined
            ? this.#sessions.encrypted(info, certificate)
            : this.#sessions.bridged(backend, info);
        this.#open(channel, opening);
      },
      passthrough: (bytes) => {
        this.#state.handshakeOver();
        const early = { client: this.#raw, greeting: NOTHING, early: bytes, clientState: 'open' as const };
        if (backend !== undefined)
          this.#relay({ ...early, backend }, { gate: undefined, replied: undefined });
        else this.#open(this.#raw, this.#sessions.passthrough(bytes));
      },
      failed: (failure) => {
        this.record.recordFailure(failure);
        if (this.#state.phase?.kind === 'handshaking') this.#state.leaveAndClose('destroy');
      },
      plaintext: (bytes) => this.#state.end(ending.plaintextInsteadOfTls(bytes, listener.mode)),
      closed: (error) => {
        this.record.recordFailure(ending.clientGone(error, handshaking.waitingFor));
        this.#state.clientClosed(error);
      },
      backendLeft: () => this.#state.abort(ending.backendFailure('backend_failed', 'backend_closed').failure),
    });
    this.#state.enter({ kind: 'handshaking', handshaking });
    this.#timeouts.awaitHandshake(handshaking);
    handshaking.begin();
  }
}

const NOTHING = Buffer.alloc(0);
