/**
 * One TLS connection of a server, without I/O: bytes in, bytes and events out. It owns what both parties can do at any
 * time (alerts, closing, renegotiation, application data) and drives the handshake, which is a straight line.
 */
import { AlertDescription, AlertLevel, alertName, REFUSALS, TlsError } from './alert.js';
import { HandshakeType } from './code-points.js';
import type { ConnectionOutput, ConnectionState, Outcome } from './connection-output.js';
import { CLIENT_HELLO, HandshakeDriver } from './handshake/driver.js';
import type { Completed } from './handshake/handshake-steps.js';
import { HandshakeIo } from './handshake/io.js';
import { serverHandshake } from './handshake/server-handshake.js';
import type { Wait } from './handshake/wait.js';
import type { Accepted } from './hello/acceptor.js';
import type { ClientHello } from './hello/client-hello.js';
import { Incoming, type Received } from './incoming.js';
import { Outgoing } from './outgoing.js';
import { knownAlert } from './handshake/version-rules.js';
import { RecordLayer } from './record/record-layer.js';
import {
  withDefaults,
  type CompleteParameters,
  type OperationResult,
  type ServerParameters,
} from './server-parameters.js';

/** Feed it with `receive`, answer its operations with `complete`, and close it once. */
export class ServerConnection {
  readonly #parameters: CompleteParameters;
  readonly #output: ConnectionOutput;
  readonly #records: RecordLayer;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  #state: ConnectionState = 'awaiting_hello';
  #hello: ClientHello | undefined;
  #handshake: HandshakeDriver | undefined;
  #reading = false;
  #sessionId: Buffer | undefined;

  constructor(parameters: ServerParameters, output: ConnectionOutput) {
    this.#parameters = withDefaults(parameters);
    this.#output = output;
    this.#records = new RecordLayer(parameters);
    this.#incoming = new Incoming(this.#records);
    this.#outgoing = new Outgoing(this.#parameters, this.#records);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What the handshake waits for; undefined after the handshake. */
  get wait(): Wait | undefined {
    return this.#state === 'awaiting_hello' ? CLIENT_HELLO : this.#handshake?.wait;
  }

  /** What the client offered, from when it is known until the handshake is complete; of one that failed, for good. */
  get clientHello(): ClientHello | undefined {
    return this.#hello;
  }

  /** False while the connection waits for its host, not for the client: stop feeding it, or it buffers. */
  get wantsInput(): boolean {
    return this.#state !== 'ended' && this.wait?.for !== 'operation';
  }

  /** Bytes from the client, cut anywhere. The connection owns `bytes`, and may decrypt in place. */
  receive(bytes: Buffer): void {
    if (this.#state === 'ended') return;
    this.#guard(() => {
      if (this.#incoming.buffered + bytes.length > MAX_BUFFERED_BYTES && !this.wantsInput) {
        throw new TlsError('internal_error', 'the host kept feeding a connection that waits for it');
      }
      this.#incoming.push(bytes);
      this.#read();
    });
  }

  /**
   * Goes on from what an `Acceptor` has read, in place of the first call of `receive`.
   * @throws Error after any call of `receive`
   */
  accept(accepted: Accepted): void {
    if (this.#state === 'ended') return;
    this.#incoming.accept(accepted);
    this.#guard(() => this.#read());
  }

  /**
   * Application data for the client.
   * @throws Error before the handshake is complete
   */
  send(plaintext: Uint8Array): void {
    if (this.#state === 'ended') return;
    if (this.#state !== 'established') throw new Error('send() before the handshake is complete');
    if (plaintext.length === 0) return;
    for (const bytes of this.#outgoing.data(plaintext)) this.#output.transmit(bytes);
    this.#checkDataLimit();
  }

  /** Sends close_notify. Data of the client's that is still on its way is lost (RFC 5246, 7.2.1). */
  close(): void {
    if (this.#state !== 'ended') this.#end({ kind: 'closed', by: 'server', finalBytes: this.#closeNotify() });
  }

  /** Ends without an alert: the transport is gone. */
  abandon(): void {
    if (this.#state !== 'ended') this.#end({ kind: 'abandoned', finalBytes: NOTHING });
  }

  /** The result of the operation that the connection waits for; one that comes too late or twice is ignored. */
  complete(result: OperationResult): void {
    const handshake = this.#handshake;
    // While it runs, it finds the result without having waited.
    if (handshake?.putCompletion(result) !== true || handshake.running) return;
    this.#guard(() => {
      handshake.run();
      this.#read();
    });
  }

  // ---- what comes in ----

  #read(): void {
    // A callee of ours may call receive() or complete(): the loop that is running goes on with what it added.
    if (this.#reading || this.#handshake?.running === true) return;
    this.#reading = true;
    try {
      while (this.wantsInput) {
        const received = this.#incoming.next(this.#expectedMessage());
        if (received === undefined) return;
        this.#take(received);
      }
    } finally {
      this.#reading = false;
    }
  }

  /** A ClientHello after the first one is read to be refused. */
  #expectedMessage(): HandshakeType | undefined {
    return this.#state === 'handshaking' ? this.#handshake!.expectedMessage : HandshakeType.client_hello;
  }

  #take(received: Received): void {
    switch (received.kind) {
      case 'client_hello':
        this.#receiveHello(received.hello);
        return;
      case 'malformed':
        this.#outgoing.useAlertVersion(received.clientVersion);
        throw received.error;
      case 'not_tls': {
        const { firstBytes } = received;
        const finalBytes = firstBytes === 'pure_sslv2' ? SSLV2_NO_CIPHER_ERROR : NOTHING;
        this.#end({ kind: 'not_tls', firstBytes, finalBytes });
        return;
      }
      case 'message':
        // As a warning, no_renegotiation would leave clients up to OpenSSL 0.9.8a waiting for ServerHello.
        if (this.#state === 'established') throw new TlsError('renegotiation');
        this.#handshake!.takeMessage(received.message);
        return;
      case 'change_cipher_spec':
        if (this.wait?.for !== 'change_cipher_spec') throw new TlsError('early_change_cipher_spec');
        this.#handshake!.takeChangeCipherSpec();
        return;
      case 'application_data':
        if (this.#state !== 'established')
          throw new TlsError('unexpected_record', 'application data in the handshake');
        if (received.content.length > 0) this.#output.deliver(received.content);
        this.#checkDataLimit();
        return;
      case 'close_notify':
        this.#end({ kind: 'closed', by: 'client', finalBytes: this.#closeNotify() });
        return;
      case 'fatal_alert':
        this.#forgetSession();
        this.#end({ kind: 'peer_alert', alert: alertName(received.description), finalBytes: NOTHING });
        return;
      case 'warning':
        // RFC 6101, 5.6.6: an answer to a CertificateRequest, and we send none.
        if (this.#state === 'handshaking' && received.description === AlertDescription.no_certificate)
          throw new TlsError('unexpected_message', 'no_certificate');
    }
  }

  // ---- the handshake ----

  #receiveHello(hello: ClientHello): void {
    this.#hello = hello;
    this.#outgoing.useAlertVersion(hello.clientVersion);
    if (hello.format === 'sslv2' && !this.#parameters.sslv2Hello) {
      throw new TlsError('sslv2_hello_not_allowed');
    }
    this.#state = 'handshaking';
    const io = new HandshakeIo(this.#parameters, this.#records, this.#output);
    const steps = serverHandshake(io, hello);
    this.#handshake = new HandshakeDriver(io, steps, (completed) => this.#establish(completed));
    this.#handshake.run();
  }

  #establish({ established, sessionId }: Completed): void {
    this.#sessionId = sessionId;
    this.#state = 'established';
    this.#outgoing.established(established);
    this.#output.established(established);
    this.#handshake = undefined;
    this.#hello = undefined;
  }

  #checkDataLimit(): void {
    if (this.#state === 'ended' || !this.#outgoing.exhausted) return;
    this.#end({ kind: 'data_limit', finalBytes: this.#closeNotify() });
  }

  // ---- the end ----

  /** The one place where a refusal becomes an alert. Anything else that is thrown is a defect of ours. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      if (this.#state === 'ended') throw thrown;
      const error =
        thrown instanceof TlsError ? thrown : new TlsError('internal_error', undefined, { cause: thrown });
      this.#forgetSession();
      const alert = knownAlert(REFUSALS[error.reason].alert, this.#records.version);
      this.#end({ kind: 'refused', error, alert, finalBytes: this.#outgoing.alert(alert, AlertLevel.fatal) });
    }
  }

  #closeNotify(): Buffer {
    return this.#outgoing.alert('close_notify', AlertLevel.warning);
  }

  #forgetSession(): void {
    if (this.#sessionId !== undefined) this.#output.forgetSession(this.#sessionId);
  }

  #end(outcome: Outcome): void {
    const { wait } = this;
    this.#state = 'ended';
    this.#handshake?.stop();
    this.#handshake = undefined;
    this.#output.ended(outcome, wait);
  }
}

const NOTHING = Buffer.alloc(0);
/** ERROR with NO-CIPHER-ERROR (Hickman, 5.5.1): what a client of SSL 2.0 understands, and not SSL 2.0 spoken. */
const SSLV2_NO_CIPHER_ERROR = Buffer.from('8003000001', 'hex');

/** What may wait while the host is busy with an operation: a socket's read buffer that was already on its way. */
const MAX_BUFFERED_BYTES = 128 * 1024;
