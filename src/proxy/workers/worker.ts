/** A worker process: runs the connections that the primary passes on, and asks it for what all workers share. */
import type { Socket } from 'node:net';
import { reportDefectsTo } from '../../observe/guard.js';
import { createLogChannel, type Log } from '../../observe/log.js';
import { sampleProcess } from '../../observe/process-sample.js';
import { ConnectionRecord } from '../../observe/connection-record.js';
import { HandshakeLimiter } from '../../policy/handshake-limiter.js';
import { exitOnDefect } from '../../system/defects.js';
import { KeyRing } from '../../credentials/keys.js';
import type { Session } from '../../tls/index.js';
import { tuneV8 } from '../../system/v8.js';

import { InProcessRunner } from '../connection-runner.js';
import { Outbox } from './outbox.js';
import { ConfigSnapshot } from '../config-snapshot.js';
import type { SessionStore } from '../resumption/session-store.js';
import { SessionTickets } from '../resumption/session-tickets.js';
import { SocketChannel } from '../transport/socket-channel.js';
import {
  portableBytes,
  portableSession,
  restoreBlueprint,
  restoreBytes,
  restoreSession,
  type PortableSnapshotInputs,
  type ToPrimary,
  type ToWorker,
} from './worker-protocol.js';

/** The sessions of the primary, as far as it answers in time: no handshake waits for long, or fails, because of it. */
class PrimarySessions implements SessionStore {
  readonly #waiting = new Map<number, (session: Session | undefined) => void>();
  #next = 0;

  find(sessionId: Buffer, done: (session: Session | undefined) => void): void {
    const lookup = this.#next++;
    const timer = setTimeout(() => this.answer(lookup, undefined), LOOKUP_TIMEOUT);
    this.#waiting.set(lookup, (session) => {
      clearTimeout(timer);
      done(session);
    });
    outbox.putSoon({ kind: 'find_session', lookup, sessionId: portableBytes(sessionId) });
  }

  answer(lookup: number, session: Session | undefined): void {
    const done = this.#waiting.get(lookup);
    this.#waiting.delete(lookup);
    done?.(session);
    // Who asked has a copy.
    session?.masterSecret.fill(0);
  }

  save(sessionId: Buffer, session: Session): void {
    // Who comes again sooner than this leaves, and to another worker, makes a full handshake.
    outbox.put({
      kind: 'save_session',
      sessionId: portableBytes(sessionId),
      session: portableSession(session),
    });
    session.masterSecret.fill(0);
  }

  forget(sessionId: Buffer): void {
    outbox.put({ kind: 'forget_session', sessionId: portableBytes(sessionId) });
  }
}

class Worker {
  readonly #log: Log = createLogChannel((entry) => outbox.put({ kind: 'event', entry })).log;
  readonly #keys = new KeyRing();
  readonly #tickets = new SessionTickets();
  readonly #sessions = new PrimarySessions();
  readonly #handshakes = new HandshakeLimiter(() => performance.now());
  readonly #host = new InProcessRunner({
    keys: this.#keys,
    sessions: this.#sessions,
    handshakes: this.#handshakes,
  });

  #sampled = false;

  start(): void {
    tuneV8();
    exitOnDefect((error) => {
      this.#log('internal_error', { error });
      return flushed();
    });
    reportDefectsTo((error) => this.#log('internal_error', { error }));
    // What comes from a terminal or from systemd goes to all processes; the primary says what is to be done.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
    process.on('disconnect', () => process.exit(0));
    process.on('message', (message: ToWorker, socket?: Socket) => this.#hear(message, socket));
  }

  #hear(message: ToWorker, socket: Socket | undefined): void {
    switch (message.kind) {
      case 'use':
        void this.#use(message.number, message.blueprint);
        return;
      case 'ticket_keys':
        this.#tickets.use(message.keys.map(restoreBytes));
        return;
      case 'serve':
        this.#serve(message, socket);
        return;
      case 'session':
        this.#sessions.answer(message.lookup, message.session && restoreSession(message.session));
        return;
      case 'close':
        void this.#host
          .close(message.patience)
          .then(flushed)
          .then(() => process.exit(0));
        return;
      case 'ping':
        outbox.putSoon({ kind: 'alive' });
    }
  }

  async #use(number: number, setUp: PortableSnapshotInputs): Promise<void> {
    const blueprint = restoreBlueprint(setUp);
    const { config, credentials } = blueprint;
    this.#handshakes.shareAmong(setUp.workers);
    // Nobody reads samples where there is no admin listener.
    if (config.admin.address !== undefined && !this.#sampled) {
      this.#sampled = true;
      sampleProcess(this.#log);
    }
    for (const { credential, key } of credentials) this.#keys.add(credential, key);
    await this.#host.use(new ConfigSnapshot(blueprint, this.#tickets, this.#log));
    outbox.putSoon({ kind: 'using', number });
  }

  #serve({ id, first, arrival }: Extract<ToWorker, { kind: 'serve' }>, socket: Socket | undefined): void {
    if (socket === undefined) {
      // It was closed on its way here.
      const record = new ConnectionRecord(arrival.listener, arrival.client);
      record.recordFailure({ outcome: 'client_gone' });
      outbox.put({ kind: 'ended', id, event: record.event() });
      return;
    }
    this.#host.serve(channelOf(socket), restoreBytes(first), arrival, (event) =>
      outbox.put({ kind: 'ended', id, event }),
    );
  }
}

/** As the listener made it: a socket that another process sends keeps no options of Node's. */
function channelOf(socket: Socket): SocketChannel {
  socket.allowHalfOpen = true;
  return new SocketChannel(socket);
}

const outbox = new Outbox<ToPrimary>((messages) => {
  if (process.connected) process.send!(messages);
});

/** Resolves when everything told so far was handed to the system. */
function flushed(): Promise<void> {
  outbox.flush();
  return new Promise((resolve) => {
    if (process.connected) process.send!([], () => resolve());
    else resolve();
  });
}

/** Milliseconds: an answer takes less than one, and a full handshake is not much slower than this. */
const LOOKUP_TIMEOUT = 250;

new Worker().start();
