/** A worker process: runs the connections that the primary passes on, and asks it for what all workers share. */
import type { Socket } from 'node:net';
import { reportDefectsTo } from '../../observe/guard.js';
import { createLogChannel, type Log } from '../../observe/log.js';
import { sampleProcess } from '../../observe/process-sample.js';
import { failedConnection, type ConnectionRecord } from '../../observe/connection-record.js';
import { HandshakeLimiter } from '../../policy/handshake-limiter.js';
import { watchDescriptors } from '../../system/descriptor-watch.js';
import { exitOnDefect } from '../../system/defects.js';
import { KeyRing } from '../../credentials/keys.js';
import type { Session } from '../../tls/index.js';
import { tuneV8 } from '../../system/v8.js';

import { InProcessRunner } from '../connection-runner.js';
import { systemAddressBook } from '../backend/address-book.js';
import { Outbox } from './outbox.js';
import { ConfigSnapshot } from '../config-snapshot.js';
import type { SessionStore } from '../resumption/session-store.js';
import { LiveSet } from '../live-set.js';
import { SessionTickets } from '../resumption/session-tickets.js';
import { SocketChannel } from '../transport/socket-channel.js';
import {
  portableBytes,
  portableSession,
  restoreInputs,
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
    const timer = setTimeout(() => this.answer(lookup, undefined), LOOKUP_TIMEOUT_MS);
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
    // The caller has its own copy.
    session?.masterSecret.fill(0);
  }

  save(sessionId: Buffer, session: Session): void {
    // A client that resumes before this is sent, at another worker, gets a full handshake.
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

interface ReportedConnection {
  /** Of its `serve` message. */
  readonly id: number;
  readonly record: ConnectionRecord;
  /** How many facts the primary has. */
  reported: number;
}

class Worker {
  readonly #log: Log = createLogChannel((entry) => outbox.put({ kind: 'event', entry })).log;
  readonly #keys = new KeyRing();
  readonly #tickets = new SessionTickets();
  readonly #addresses = systemAddressBook();
  readonly #sessions = new PrimarySessions();
  readonly #handshakes = new HandshakeLimiter(() => performance.now());
  readonly #runner = new InProcessRunner({
    keys: this.#keys,
    sessions: this.#sessions,
    handshakes: this.#handshakes,
  });

  #sampled = false;
  readonly #connections = new LiveSet<ReportedConnection>();
  /** Of the next `serve` message. */
  #expected = 0;

  start(): void {
    tuneV8();
    exitOnDefect((error) => {
      this.#log('internal_error', { error });
      this.#reportFacts();
      return flushed();
    });
    watchDescriptors((exhaustion) => this.#log('descriptors_exhausted', { pid: process.pid, ...exhaustion }));
    reportDefectsTo((error) => this.#log('internal_error', { error }));
    // A terminal and systemd signal all processes; only the primary acts on it.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
    process.on('disconnect', () => process.exit(0));
    process.on('message', (message: ToWorker, socket?: Socket) => this.#onMessage(message, socket));
  }

  #onMessage(message: ToWorker, socket: Socket | undefined): void {
    switch (message.kind) {
      case 'configure':
        void this.#configure(message.number, message.inputs);
        return;
      case 'ticket_keys':
        this.#tickets.setKeys(message.keys.map(restoreBytes));
        return;
      case 'learn':
        this.#runner.learn(message.backend, message.replies);
        return;
      case 'address_state':
        this.#addresses.learn(message.state);
        return;
      case 'serve':
        this.#serve(message, socket);
        return;
      case 'session':
        this.#sessions.answer(message.lookup, message.session && restoreSession(message.session));
        return;
      case 'close':
        void this.#runner
          .close(message.timeoutMs)
          .then(flushed)
          .then(() => process.exit(0));
        return;
      case 'ping':
        this.#reportMissed(message.sent);
        this.#reportFacts();
        outbox.putSoon({ kind: 'alive' });
    }
  }

  async #configure(number: number, portable: PortableSnapshotInputs): Promise<void> {
    const inputs = restoreInputs(portable);
    const { config, credentials } = inputs;
    this.#handshakes.shareAmong(portable.workers);
    // Only the admin listener reads samples.
    if (config.admin.address !== undefined && !this.#sampled) {
      this.#sampled = true;
      sampleProcess(this.#log);
    }
    for (const { credential, key } of credentials) this.#keys.add(credential, key);
    await this.#runner.configure(new ConfigSnapshot(inputs, this.#tickets, this.#addresses, this.#log));
    outbox.putSoon({ kind: 'configured', number });
  }

  /** @param next of the `serve` message that comes now, or would come next */
  #reportMissed(next: number): void {
    const ids: number[] = [];
    while (this.#expected < next) ids.push(this.#expected++);
    if (ids.length > 0) outbox.put({ kind: 'missed', ids });
  }

  /** For the log, in case that this process dies. */
  #reportFacts(): void {
    for (const connection of this.#connections) {
      const { id, record, reported } = connection;
      if (record.factCount <= reported) continue;
      connection.reported = record.factCount;
      outbox.put({ kind: 'facts', id, facts: record.facts() });
    }
  }

  #serve({ id, first, accepted }: Extract<ToWorker, { kind: 'serve' }>, socket: Socket | undefined): void {
    this.#reportMissed(id);
    this.#expected = id + 1;
    if (socket === undefined) {
      // It was closed on its way here.
      outbox.put({ kind: 'ended', id, event: failedConnection(accepted, { outcome: 'client_gone' }) });
      return;
    }
    const record = this.#runner.serve(channelOf(socket), restoreBytes(first), accepted, (event) => {
      leave();
      outbox.put({ kind: 'ended', id, event });
    });
    const leave = this.#connections.enter({ id, record, reported: 0 });
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

/** Resolves when every message so far was handed to the system. */
function flushed(): Promise<void> {
  outbox.flush();
  return new Promise((resolve) => {
    if (process.connected) process.send!([], () => resolve());
    else resolve();
  });
}

/** An answer takes less than 1 ms, and a full handshake is not much slower than this. */
const LOOKUP_TIMEOUT_MS = 250;

new Worker().start();
