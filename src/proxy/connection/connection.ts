/**
 * One client from accept to close, and the only place that knows all the parts: the gate in front of TLS, TLS itself,
 * the gate behind it, the backend sessions, the timer, and the one log event at the end.
 */
import type { LimitsConfig, ListenerConfig } from '../../config/schema.js';
import { explainNotTls } from '../../observe/explain.js';
import { guarded } from '../../observe/guard.js';
import type { Log } from '../../observe/log.js';
import {
  ConnectionRecord,
  type Failure,
  type ConnectionEvent,
  type TlsInfo,
} from '../../observe/connection-record.js';
import { ServerHelloWatch } from '../../observe/hello/server-hello.js';
import type { CertificateInfo } from '../../credentials/certificate-info.js';
import { Gate, type GateOptions } from '../../smtp/gate.js';
import { ownReply } from '../../smtp/replies.js';
import type { HandshakeCount } from '../../policy/handshake-count.js';
import { isWeakTls } from '../../policy/weak-tls.js';
import { overLimit } from '../listener/admission.js';
import { TlsAcceptor, type TlsProfile } from '../termination/tls-acceptor.js';
import type { ClientIdentity } from '../backend/dial.js';
import { BACKEND_FAILURES, type BackendError, type BackendFailure } from '../backend/backend-error.js';
import { openBackendSession, retire, type BackendPlan } from '../backend/open-session.js';
import { NO_HANDLER, type Channel, type ChannelHandler } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { Deadline } from './deadline.js';
import { backendFailure, gateRefusal, idle, shutdown, type Ending } from './ending.js';
import type { Endpoint } from '../../net/endpoint.js';
import type { EngineServices } from '../termination/engine-channel.js';
import { ReplyWatch } from './reply-watch.js';

/** What a listener decided about a client before handing it over. */
export interface ConnectionPlan {
  readonly listener: ListenerConfig;
  readonly backend: BackendPlan;
  readonly limits: LimitsConfig;
  readonly hostname: string;
  readonly tls: TlsProfile;
  readonly offerStarttls: boolean;
  readonly client: Endpoint;
  readonly destination: Endpoint;
  readonly log: Log;
}

export interface ConnectionServices extends EngineServices {
  readonly handshakes: HandshakeCount;
}

export class ProxiedConnection {
  readonly record: ConnectionRecord;
  readonly #plan: ConnectionPlan;
  readonly #services: ConnectionServices;
  readonly #finished: (event: ConnectionEvent) => void;
  readonly #raw: SocketChannel;
  /** Where SMTP goes to and comes from: the raw channel, later the encrypted one. */
  #client: Channel;
  #clientOpen = true;
  /** The client sends nothing more, and the backend is to hear that when it has heard all else. */
  #clientEnded = false;
  /** The client is not read because it does not read our own replies. */
  #choked = false;
  #backend: SocketChannel | undefined;
  #cancelOpening: (() => void) | undefined;
  /** Undefined while TLS is being established, and where bytes pass unparsed. */
  #gate: Gate | undefined;
  /** What the client was shown, for the backend to know. */
  #certificate: CertificateInfo | undefined;
  /** Set while this client's handshake is counted. */
  #handshakeDone: (() => void) | undefined;
  #acceptor: TlsAcceptor | undefined;
  readonly #deadline = new Deadline();
  readonly #dialogue = new ReplyWatch();
  #ending = false;
  /** Once set, nothing more is taken from the client, and what it hears when the backend has answered. */
  #lastWords: string | undefined;

  constructor(
    plan: ConnectionPlan,
    client: SocketChannel,
    services: ConnectionServices,
    finished: (event: ConnectionEvent) => void,
  ) {
    this.#plan = plan;
    this.#services = services;
    this.#finished = finished;
    this.record = new ConnectionRecord(plan.listener.name, plan.client);
    this.#raw = client;
    this.#client = this.#raw;
  }

  start(): void {
    const { log, listener, client } = this.#plan;
    log('connection_opened', {
      connection: this.record.id,
      listener: listener.name,
      client,
      pid: process.pid,
    });
    if (listener.mode === 'starttls') this.#openPlaintextSession();
    else if (this.#mayHandshake()) this.#acceptTls();
    else this.#turnAway();
  }

  /**
   * The proxy stops: a client that waits for nothing, or is not in the middle of its mail, hears 421 (RFC 5321, 3.8).
   * One whose command the backend has not answered gets that answer, if it comes soon. Every other connection is cut.
   */
  shutDown(): void {
    if (this.#ending) return;
    const { failure, reply } = shutdown(this.#plan.hostname);
    this.record.recordFailure(failure);
    const { answered } = this.#dialogue;
    const betweenCommands = this.#gate?.mailBegan === false || this.#cancelOpening !== undefined || answered;
    if (answered === undefined) this.#destroy();
    else if (betweenCommands) this.#sayGoodbye(reply);
    else {
      this.#lastWords = reply;
      this.#client.pause();
      this.#deadline.set(LAST_ANSWER_TIMEOUT, () => this.#destroy());
    }
  }

  /** Ends at once; what is in flight is lost to this client, never to a backend that acknowledged it. */
  abort(failure: Failure): void {
    this.record.recordFailure(failure);
    this.#destroy();
  }

  // ---- in front of TLS ----

  #openPlaintextSession(): void {
    const { hostname, offerStarttls, listener } = this.#plan;
    const { tls } = this.#plan.backend.config;
    const starttls = !offerStarttls ? 'hide' : tls === 'bridge' ? 'pass' : 'offer';
    const auth = listener.auth === 'always' ? 'offer' : 'withhold';
    this.#client.handler = this.#clientHandler();
    this.#dialogue.smtpBegins();
    this.#open(tls === 'implicit' ? 'implicit' : 'none', (backend, greeting) => {
      this.#relay(
        backend,
        { hostname, starttls, greeting: 'relay', auth, bareLf: listener.bareLf },
        greeting,
      );
    });
  }

  // ---- TLS ----

  /** Whether the limits allow one more handshake, which is then counted until `#handshakeOver`. */
  #mayHandshake(): boolean {
    const { client, limits } = this.#plan;
    const begun = this.#services.handshakes.begin(client.address, limits);
    if ('over' in begun) this.record.recordFailure(overLimit(begun.over));
    else this.#handshakeDone = begun.done;
    return 'done' in begun;
  }

  #handshakeOver(): void {
    this.#handshakeDone?.();
    this.#handshakeDone = undefined;
  }

  /** Closes where no more can be said, and waits for the client to do so too. */
  #turnAway(): void {
    this.#handshakeOver();
    this.#raw.handler = {
      ...NO_HANDLER,
      end: () => this.#raw.destroy(),
      closed: () => this.#clientClosed(undefined),
    };
    this.#raw.end();
    this.#raw.resume();
    this.#waitForClose();
  }

  #acceptTls(): void {
    const { tls, limits } = this.#plan;
    this.#dialogue.tlsBegins();
    this.record.handshakeStarted();
    const acceptor = new TlsAcceptor(this.#raw, tls, this.#services, {
      hello: (hello) => this.record.setHello(hello),
      established: (channel, facts, certificate) => {
        this.#certificate = certificate;
        this.#established(channel, facts);
      },
      passthrough: (bytes) => this.#passThrough(bytes),
      failed: (failure) => {
        this.#handshakeOver();
        this.record.recordFailure(failure);
        if (this.record.tls === undefined) this.#waitForClose();
      },
      plaintext: (bytes) => this.#refusePlaintext(bytes),
      closed: (error) => {
        if (error === undefined) {
          this.record.recordFailure({ outcome: 'client_gone', reason: `waiting for ${acceptor.waitingFor}` });
        }
        this.#clientClosed(error);
      },
    });
    this.#acceptor = acceptor;
    this.#deadline.set(limits.handshakeTimeout, () => {
      this.abort({ outcome: 'client_timeout', reason: `waiting for ${acceptor.waitingFor}` });
    });
  }

  /** Somebody speaks SMTP to a port where TLS comes first: a mail client can show its user what to change. */
  #refusePlaintext(bytes: Buffer): void {
    this.record.recordFailure({
      outcome: 'not_tls',
      reason: 'plaintext',
      explanation: explainNotTls('plaintext'),
    });
    const smtp = this.#plan.listener.mode === 'implicit' && SMTP_VERB.test(bytes.toString('latin1'));
    if (smtp) this.#raw.write(ownReply('tls_from_first_byte', this.#plan.hostname));
    this.#turnAway();
  }

  #established(channel: Channel, facts: TlsInfo): void {
    this.#handshakeOver();
    this.record.established(facts);
    this.#dialogue.smtpBegins();
    channel.pause();
    channel.handler = this.#clientHandler();
    this.#client = channel;
    if (this.#backend === undefined) this.#openEncryptedSession(facts);
    else this.#encryptBackend(this.#backend, facts);
  }

  #openEncryptedSession(facts: TlsInfo): void {
    const { tls } = this.#plan.backend.config;
    const greeting = this.#plan.listener.mode === 'implicit' ? 'relay' : 'swallow';
    this.#open(tls === 'bridge' ? 'implicit' : tls, (backend, greeted) => {
      this.#relay(backend, this.#encryptedGate(greeting, facts), greeted);
    });
  }

  /** The backend said 220 to the client's STARTTLS and waits for TLS, on the very session the client spoke in. */
  #encryptBackend(backend: SocketChannel, facts: TlsInfo): void {
    this.#backend = undefined;
    this.#deadline.set(this.#plan.limits.handshakeTimeout, () =>
      this.#backendTimedOut('the TLS of the backend'),
    );
    this.#cancelOpening = this.#plan.backend.tls!.secure(backend, {
      secured: (secured) => {
        this.#cancelOpening = undefined;
        this.#relay(secured, this.#encryptedGate('none', facts), NOTHING);
      },
      failed: (error) => this.#openingFailed(error),
    });
  }

  #encryptedGate(greeting: GateOptions['greeting'], facts: TlsInfo): GateOptions {
    const { hostname, listener } = this.#plan;
    const auth = listener.auth === 'strong-tls' && isWeakTls(facts) ? 'withhold' : 'offer';
    return { hostname, starttls: 'active', greeting, auth, bareLf: listener.bareLf };
  }

  /** From here on TLS is between the client and the backend, and all we see is bytes. */
  #passThrough(bytes: Buffer): void {
    this.#handshakeOver();
    const watch = new ServerHelloWatch();
    this.#client.handler = this.#clientHandler();
    const splice = (backend: SocketChannel): void => {
      this.#backend = backend;
      const handler = this.#backendHandler(backend);
      const data = (chunk: Buffer): void => {
        const agreed = guarded('ServerHello', () => watch.push(chunk));
        if (agreed !== undefined) this.record.established({ path: 'passthrough', ...agreed });
        handler.data(chunk);
      };
      backend.handler = { ...handler, data };
      this.#blindPipe();
      this.#fromClient(bytes);
      backend.resume();
      this.#client.resume();
    };
    if (this.#backend === undefined) this.#open('none', splice);
    else splice(this.#backend);
  }

  // ---- SMTP between the two ----

  /** @param greeted what the backend has said already */
  #relay(backend: SocketChannel, options: GateOptions, greeted: Buffer): void {
    const gate = this.#newGate(options);
    this.#backend = backend;
    this.#gate = gate;
    backend.handler = this.#backendHandler(backend);
    if (gate.greeted) this.#awaitCommands();
    else this.#deadline.set(this.#plan.limits.greetingTimeout, () => this.#backendTimedOut('its greeting'));
    if (greeted.length > 0) backend.handler.data(greeted);
    backend.resume();
    this.#client.resume();
  }

  #backendHandler(backend: SocketChannel): ChannelHandler {
    return {
      data: (bytes) => this.#fromBackend(bytes),
      full: () => {
        if (!this.#ending) this.#client.pause();
      },
      drain: () => this.#readClient(),
      end: () => this.#backendEnded(),
      closed: (error) => this.#backendClosed(backend, error),
    };
  }

  #newGate(options: GateOptions): Gate {
    return new Gate(options, {
      toClient: (bytes) => this.#toClient(bytes),
      toBackend: (bytes) => this.#toBackend(bytes),
      mayStartTls: () => this.#mayHandshake(),
      starttlsDeclined: () => this.#handshakeOver(),
      startTls: () => this.#startTls(),
      passThrough: () => {
        this.#leaveGate();
        this.#blindPipe();
      },
      mailBegins: () => this.#blindPipe(),
      refuse: (reason) => this.#end(gateRefusal(reason)),
    });
  }

  #awaitCommands(): void {
    this.#deadline.set(this.#plan.limits.commandTimeout, () => this.#idle());
  }

  #blindPipe(): void {
    this.#deadline.set(this.#plan.limits.idleTimeout, () => {
      if (this.#dialogue.answered === true) this.#end(idle(this.#plan.hostname));
      else this.abort({ outcome: 'client_timeout', reason: 'idle' });
    });
  }

  #startTls(): void {
    const backend = this.#backend!;
    this.#leaveGate();
    this.#choked = false;
    if (this.#plan.backend.config.tls === 'bridge') {
      backend.pause();
    } else {
      this.#backend = undefined;
      retire(backend);
    }
    this.#acceptTls();
  }

  #leaveGate(): void {
    this.record.setHelo(this.#gate?.heloName);
    this.#gate = undefined;
  }

  #clientHandler(): ChannelHandler {
    return {
      data: (bytes) => this.#fromClient(bytes),
      full: () => this.#choke(),
      drain: () => {
        this.#backend?.resume();
        if (this.#choked) this.#readClient();
      },
      end: () => {
        this.#clientEnded = true;
        this.#cancelOpening?.();
        if (this.#backend === undefined) this.#client.end();
        else this.#passOnEnd();
      },
      closed: (error) => this.#clientClosed(error),
    };
  }

  /** Once the backend is gone there is nobody to tell, least of all the gate, which takes its backend for granted. */
  #fromClient(bytes: Buffer): void {
    if (this.#ending) return;
    this.record.fromClient += bytes.length;
    const gate = this.#gate;
    if (gate === undefined) {
      this.#touch();
      this.#toBackend(bytes);
      return;
    }
    // Whoever sends a byte now and then has no more time for a line, or for a greeting to come.
    if (gate.mailBegan || (gate.greeted && bytes.includes(LF))) this.#touch();
    gate.fromClient(bytes);
  }

  #fromBackend(bytes: Buffer): void {
    const gate = this.#gate;
    if (gate === undefined) {
      this.#touch();
      this.#toClient(bytes);
      return;
    }
    const { greeted } = gate;
    if (greeted) this.#touch();
    gate.fromBackend(bytes);
    if (!greeted && gate.greeted && this.#gate === gate) this.#awaitCommands();
    if (this.#clientEnded) this.#passOnEnd();
  }

  #passOnEnd(): void {
    if (this.#gate?.holdsBack !== true) this.#backend?.end();
  }

  #backendEnded(): void {
    // Where the client has taken its leave, so may the backend.
    const gate = this.#clientEnded ? undefined : this.#gate;
    if (gate?.greeted === false) {
      this.#backendFailed('backend_failed', 'backend_closed', BACKEND_FAILURES.backend_closed);
    } else {
      gate?.backendEnds();
      this.#client.end();
    }
  }

  #toClient(bytes: Buffer): void {
    this.record.toClient += bytes.length;
    this.#client.write(bytes);
    this.#dialogue.toClient(bytes);
    if (this.#dialogue.answered === true && this.#lastWords !== undefined) this.#sayGoodbye(this.#lastWords);
  }

  /** Behind the gate only the backend has more for a client that does not read; in front of it, we do too. */
  #choke(): void {
    this.#backend?.pause();
    if (this.#gate === undefined) return;
    this.#choked = true;
    this.#client.pause();
  }

  #readClient(): void {
    this.#choked = false;
    if (this.#lastWords === undefined) this.#client.resume();
  }

  #toBackend(bytes: Buffer): void {
    this.#dialogue.toBackend();
    this.#backend?.write(bytes);
  }

  // ---- the backend ----

  #open(
    security: 'none' | 'implicit' | 'starttls',
    ready: (backend: SocketChannel, greeting: Buffer) => void,
  ): void {
    this.#deadline.set(this.#plan.limits.greetingTimeout, () => this.#backendTimedOut('its greeting'));
    this.#cancelOpening = openBackendSession(this.#plan.backend, this.#identity(), security, {
      ready: (backend, greeting) => {
        this.#cancelOpening = undefined;
        ready(backend, greeting);
      },
      failed: (error) => this.#openingFailed(error),
    });
  }

  #identity(): ClientIdentity {
    const { client, destination } = this.#plan;
    const { id, tls, helloFormat } = this.record;
    if (tls === undefined || helloFormat === undefined)
      return { connection: id, source: client, destination };
    const { version, suite: cipher, serverName } = tls;
    const { signatureAlgorithm, keyAlgorithm } = this.#certificate ?? {};
    return {
      connection: id,
      source: client,
      destination,
      tls: { version, cipher, serverName, helloFormat, signatureAlgorithm, keyAlgorithm },
    };
  }

  #openingFailed(error: BackendError): void {
    this.#cancelOpening = undefined;
    this.#backendFailed('backend_failed', error.reason, error.message);
  }

  #backendTimedOut(what: string): void {
    this.#cancelOpening?.();
    this.#backendFailed('backend_timeout', 'backend_greeting_timeout', `${what} did not come in time`);
  }

  #backendFailed(
    outcome: 'backend_failed' | 'backend_timeout',
    reason: BackendFailure,
    meaning: string,
  ): void {
    this.#end(backendFailure(this.#plan.hostname, outcome, reason, meaning));
  }

  // ---- the end ----

  #end({ failure, reply }: Ending): void {
    this.record.recordFailure(failure);
    this.#sayGoodbye(reply);
  }

  #idle(): void {
    if (this.#gate?.awaitsBackend === true) {
      const meaning = BACKEND_FAILURES.backend_reply_timeout;
      this.#backendFailed('backend_timeout', 'backend_reply_timeout', meaning);
    } else this.#end(idle(this.#plan.hostname));
  }

  /** Our last words to the client; the backend's session ends without a word of ours in it. */
  #sayGoodbye(reply: string): void {
    this.#lastWords = undefined;
    this.#cancelOpening?.();
    this.#cancelOpening = undefined;
    this.#leaveGate();
    if (reply !== '') this.#toClient(Buffer.from(reply));
    // An engine takes its own close_notify for the end of both directions, and would be destroyed before it has drained.
    this.#client.end();
    this.#client.handler = {
      ...this.#client.handler,
      data: () => undefined,
      end: () => this.#client.destroy(),
    };
    this.#client.resume();
    this.#backend?.destroy();
    this.#waitForClose();
  }

  #clientClosed(error: Error | undefined): void {
    this.#clientOpen = false;
    this.record.setHelo(this.#gate?.heloName);
    if (error !== undefined && !this.#dialogue.backendLeaves) {
      this.record.recordFailure({ outcome: 'client_gone', reason: errorCode(error) });
    }
    this.#cancelOpening?.();
    if (error === undefined) this.#backend?.end();
    else this.#backend?.destroy();
    this.#waitForClose();
    this.#finishWhenClosed();
  }

  #backendClosed(backend: SocketChannel, error: Error | undefined): void {
    if (backend !== this.#backend) return;
    this.#backend = undefined;
    if (this.#clientOpen && !this.#ending) this.#backendEnded();
    if (error !== undefined && this.#clientOpen && !this.#dialogue.backendLeaves) {
      this.record.recordFailure({ outcome: 'backend_failed', reason: errorCode(error) });
    }
    if (this.#clientOpen) {
      this.#client.end();
      this.#client.resume();
      this.#waitForClose();
    }
    this.#finishWhenClosed();
  }

  /** Nobody may keep a connection half open for ever. */
  #waitForClose(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#deadline.set(CLOSE_TIMEOUT, () => this.#destroy());
  }

  #destroy(): void {
    this.#ending = true;
    this.#cancelOpening?.();
    this.#backend?.destroy();
    this.#client.destroy();
    this.#acceptor?.destroy();
    this.#raw.destroy();
  }

  #finishWhenClosed(): void {
    if (this.#clientOpen || this.#backend !== undefined) return;
    this.#deadline.clear();
    this.#handshakeOver();
    this.#finished(this.record.event());
  }

  /** Something came; but what ends, ends. */
  #touch(): void {
    if (!this.#ending && this.#lastWords === undefined) this.#deadline.extend();
  }
}

function errorCode(error: Error & { code?: string }): string {
  return error.code ?? error.name;
}

/** Milliseconds a peer gets to close after we did. */
const CLOSE_TIMEOUT = 10_000;
/** Milliseconds for a backend to answer what it was told last, when the proxy stops. */
const LAST_ANSWER_TIMEOUT = 5_000;

const NOTHING = Buffer.alloc(0);
const LF = 0x0a;
const SMTP_VERB = /^(?:EHLO|HELO|MAIL|QUIT|NOOP|STARTTLS|AUTH|RSET)\b/i;
