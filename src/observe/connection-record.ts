/** Collects what happens on one client connection, and makes one log event of it at the end. */
import { randomUUID } from 'node:crypto';
import type { Endpoint } from '../net/endpoint.js';
import { versionName, type ClientHello, type Established, type HelloFormat } from '../tls/index.js';
import { explainOutcome } from './explain.js';
import { guarded } from './guard.js';
import { describeHello } from './hello-description.js';
import { OUTCOMES, type Outcome } from './outcomes.js';
import { sanitizePeerText } from './sanitize.js';
import type { ConnectionEvent } from './connection-event.js';

export type { ConnectionEvent } from './connection-event.js';

/** What was agreed in a handshake. */
export type TlsInfo = NonNullable<ConnectionEvent['tls']>;

export interface Failure {
  readonly outcome: Outcome;
  readonly reason?: string | undefined;
  /** The alert sent or received. */
  readonly alert?: string | undefined;
  readonly fault?: 'client' | 'backend' | 'proxy' | undefined;
  /** A function is called at once, inside `guarded`. */
  readonly explanation?: string | (() => string) | undefined;
}

/** What does not depend on how a connection ends. */
export type ConnectionFacts = Pick<
  ConnectionEvent,
  'connection' | 'hello' | 'tls' | 'smtp' | 'backendSessions' | 'bytes'
>;

type ExplainedFailure = Failure & { readonly explanation?: string | undefined };

export class ConnectionRecord {
  /**
   * 16 hex digits: unique enough to search logs for, and sent to the backend where its protocol allows. Node keeps
   * random bytes in reserve for UUIDs only.
   */
  readonly id = randomUUID().slice(19).replace('-', '');
  readonly #listener: string;
  readonly #client: Endpoint;
  readonly #started: number;
  #handshakeStarted: number | undefined;
  #handshake: number | undefined;
  /** Kept only until TLS is established: its description is a tenth of its size. */
  #hello: ClientHello | undefined;
  #described: ConnectionEvent['hello'];
  #tls: TlsInfo | undefined;
  /** The part of `fromClient` from before TLS. */
  #beforeTls = 0;
  #helo: string | undefined;
  #failure: ExplainedFailure | undefined;
  /** Sessions with the backend that were ready for the client. */
  backendSessions = 0;
  /** The address of the backend that a session was made with last. */
  backendAddress: string | undefined;
  fromClient = 0;
  toClient = 0;

  /** @param started on the clock of performance.now(), for a connection whose record was lost with its process */
  constructor(listener: string, client: Endpoint, started = performance.now()) {
    this.#listener = listener;
    this.#client = client;
    this.#started = started;
  }

  get helloFormat(): HelloFormat | undefined {
    return this.#hello?.format ?? this.#described?.format;
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  handshakeStarted(): void {
    this.#handshakeStarted ??= performance.now();
  }

  setHello(hello: ClientHello): void {
    this.#hello = hello;
  }

  setHelo(helo: string | undefined): void {
    if (helo !== undefined) this.#helo = helo;
  }

  established(tls: TlsInfo): void {
    this.#tls = tls;
    this.#beforeTls = this.fromClient;
    this.#described = this.#describe();
    this.#hello = undefined;
    if (this.#handshakeStarted !== undefined) this.#handshake = performance.now() - this.#handshakeStarted;
  }

  /** Only the first failure is kept: it is the cause of the others. */
  recordFailure(failure: Failure): void {
    if (this.#failure !== undefined) return;
    const { explanation } = failure;
    const explained = typeof explanation === 'function' ? guarded('explanation', explanation) : explanation;
    this.#failure = { ...failure, explanation: explained };
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The outcome where no failure was recorded. */
  #outcome(): Outcome {
    if (this.#tls !== undefined) return 'completed';
    return this.#hello === undefined ? 'plaintext' : 'passthrough_failed';
  }

  #ending(): ExplainedFailure {
    const ending = this.#failure ?? { outcome: this.#outcome() };
    const left = ending.outcome === 'completed' || ending.outcome === 'client_gone';
    return left && this.#sentNothingInTls() ? { ...ending, outcome: 'left_after_handshake' } : ending;
  }

  /** With passthrough the bytes of TLS itself are counted, so the answer is always no. */
  #sentNothingInTls(): boolean {
    if (this.#tls === undefined || this.#tls.path === 'passthrough') return false;
    return this.fromClient === this.#beforeTls;
  }

  #describe(): ConnectionEvent['hello'] {
    const hello = this.#hello;
    if (hello === undefined) return this.#described;
    return guarded('description of a hello', () => describeHello(hello, this.#tls?.suite));
  }

  /** Grows with what is known. */
  get factCount(): number {
    return [this.helloFormat, this.#tls, this.#helo].filter((fact) => fact !== undefined).length;
  }

  facts(): ConnectionFacts {
    const hello = this.#describe();
    return {
      connection: this.id,
      ...(hello && { hello }),
      ...(this.#tls && { tls: this.#tls }),
      ...(this.#helo !== undefined && { smtp: { helo: sanitizePeerText(this.#helo) } }),
      backendSessions: this.backendSessions,
      ...(this.backendAddress !== undefined && { backendAddress: this.backendAddress }),
      bytes: { fromClient: this.fromClient, toClient: this.toClient },
    };
  }

  event(): ConnectionEvent {
    const failure = this.#ending();
    const fault = failure.fault ?? OUTCOMES[failure.outcome].fault;
    const { connection, bytes, ...known } = this.facts();
    const explanation = failure.explanation ?? explainOutcome(failure.outcome, failure.reason);
    return {
      connection,
      listener: this.#listener,
      client: this.#client,
      ...known,
      bytes,
      durations: {
        total: round(performance.now() - this.#started),
        ...(this.#handshake !== undefined && { handshake: round(this.#handshake) }),
      },
      outcome: failure.outcome,
      ...(fault !== undefined && { fault }),
      ...(failure.reason !== undefined && { reason: failure.reason }),
      ...(failure.alert !== undefined && { alert: failure.alert }),
      ...(explanation !== undefined && { explanation }),
    };
  }
}

/** The event of a connection that was refused, or whose record was lost. @param started time of performance.now() */
export function failedConnection(
  { listener, client }: Pick<ConnectionEvent, 'listener' | 'client'>,
  failure: Failure,
  started = performance.now(),
): ConnectionEvent {
  const record = new ConnectionRecord(listener, client, started);
  record.recordFailure(failure);
  return record.event();
}

/** Describes a handshake of our engine. */
export function engineTlsInfo({ version, suite, resumed, serverName }: Established): TlsInfo {
  return {
    path: 'engine',
    version: versionName(version),
    suite: suite.opensslName,
    keyExchange: suite.keyExchange.toUpperCase(),
    resumed,
    ...(serverName !== undefined && { serverName: sanitizePeerText(serverName) }),
  };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
