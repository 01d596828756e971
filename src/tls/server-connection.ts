/**
 * One TLS connection of a server, without I/O: bytes in, bytes and events out. It owns what both parties can do at any
 * time (alerts, closing, renegotiation, application data) and drives the handshake, which is a straight line.
 */
import { AlertDescription, AlertLevel, alertName, REFUSALS, TlsError, type AlertName } from './alert.js';
import { ContentType, HandshakeType, ProtocolVersion } from './code-points.js';
import { Acceptor, type Accepted, type NotTls } from './hello/acceptor.js';
import type { ClientHello } from './hello/client-hello.js';
import type { Established } from './handshake/established.js';
import type { Completed } from './handshake/handshake-steps.js';
import { HandshakeIo, type HandshakeOutput } from './handshake/io.js';
import { Reassembly } from './record/reassembly.js';
import { serverHandshake } from './handshake/server-handshake.js';
import type { Step, Wait } from './handshake/wait.js';
import { RecordLayer, type RecordContent } from './record/record-layer.js';
import {
  withDefaults,
  type CompleteParameters,
  type OperationResult,
  type ServerParameters,
} from './server-parameters.js';
import { alertNumber } from './handshake/version-rules.js';

/** Where a connection's effects go. Calls come in order and only while one of the connection's methods runs. */
export interface ConnectionOutput extends HandshakeOutput {
  /** Application data; valid until the next call of `receive`. */
  deliver(plaintext: Buffer): void;
  established(established: Established): void;
  /** RFC 5246, 7.2.2: after a fatal alert the session must not be resumed. */
  forgetSession(id: Buffer): void;
  /** The last call, also after `abandon`; `wait` is what the handshake waited for, undefined after the handshake. */
  ended(outcome: Outcome, wait: Wait | undefined): void;
}

/** How a connection ended. `finalBytes` is what is left to transmit before closing the transport. */
export type Outcome = { readonly finalBytes: Buffer } & (
  | { readonly kind: 'closed'; readonly by: 'client' | 'server' }
  /** The host has called `abandon`. */
  | { readonly kind: 'abandoned' }
  /** A 64-bit block cipher has protected as much as is safe. */
  | { readonly kind: 'data_limit' }
  | { readonly kind: 'refused'; readonly error: TlsError }
  | { readonly kind: 'peer_alert'; readonly alert: string }
  /** What came is not TLS, or is SSL 2.0 itself; a TLS alert would mean nothing to the peer. */
  | { readonly kind: 'not_tls'; readonly firstBytes: NotTls }
);

export type ConnectionState = 'awaiting_hello' | 'handshaking' | 'established' | 'ended';

interface Handshake {
  readonly io: HandshakeIo;
  readonly steps: Step<Completed>;
}

/** Feed it with `receive`, answer its operations with `complete`, and close it once. */
export class ServerConnection {
  readonly #parameters: CompleteParameters;
  readonly #output: ConnectionOutput;
  readonly #records: RecordLayer;
  readonly #reassembly = new Reassembly();
  #state: ConnectionState = 'awaiting_hello';
  #acceptor: Acceptor | undefined;
  #hello: ClientHello | undefined;
  #handshake: Handshake | undefined;
  #wait: Wait | undefined = CLIENT_HELLO;
  #driving = false;
  #reading = false;
  #sessionId: Buffer | undefined;
  #warnings = 0;
  #splitWrites = false;
  /** Nobody can have chosen the first data by what was sent before, so it need not be split. */
  #hasSent = false;
  #limitedByBlocks = false;

  constructor(parameters: ServerParameters, output: ConnectionOutput) {
    this.#parameters = withDefaults(parameters);
    this.#output = output;
    this.#records = new RecordLayer(parameters);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What the handshake waits for; undefined after the handshake. */
  get wait(): Wait | undefined {
    return this.#wait;
  }

  /** What the client offered, from when it is known until the handshake is complete; of one that failed, for good. */
  get clientHello(): ClientHello | undefined {
    return this.#hello;
  }

  /** False while the connection waits for its host, not for the client: stop feeding it, or it buffers. */
  get wantsInput(): boolean {
    return this.#state !== 'ended' && this.#wait?.for !== 'operation';
  }

  /** Bytes from the client, cut anywhere. The connection owns `bytes`, and may decrypt in place. */
  receive(bytes: Buffer): void {
    if (this.#state === 'ended') return;
    this.#guard(() => {
      if (this.#records.buffered + bytes.length > MAX_BUFFERED && !this.wantsInput) {
        throw new TlsError('internal_error', 'the host kept feeding a connection that waits for it');
      }
      if (this.#state !== 'awaiting_hello') this.#records.push(bytes);
      else this.#receiveBeginning(bytes);
      this.#readRecords();
    });
  }

  /**
   * Goes on from what an `Acceptor` has read, in place of the first call of `receive`.
   * @throws Error after any call of `receive`
   */
  accept(accepted: Accepted): void {
    if (this.#state === 'ended') return;
    if (this.#state !== 'awaiting_hello' || this.#acceptor !== undefined) {
      throw new Error('accept() after receive()');
    }
    this.#guard(() => {
      this.#begin(accepted);
      this.#readRecords();
    });
  }

  /**
   * Application data for the client.
   * @throws Error before the handshake is complete
   */
  send(plaintext: Uint8Array): void {
    if (this.#state === 'ended') return;
    if (this.#state !== 'established') throw new Error('send() before the handshake is complete');
    if (plaintext.length === 0) return;
    const pieces: Buffer[] = [];
    if (this.#splitWrites && this.#hasSent) {
      this.#records.seal(ContentType.application_data, plaintext.subarray(0, 1), pieces);
      this.#records.seal(ContentType.application_data, plaintext.subarray(1), pieces);
    } else {
      this.#records.seal(ContentType.application_data, plaintext, pieces);
    }
    this.#hasSent = true;
    if (plaintext.length < WORTH_PIECES) this.#output.transmit(Buffer.concat(pieces));
    else for (const piece of pieces) this.#output.transmit(piece);
    this.#checkDataLimit();
  }

  /** Says close_notify. Data of the client's that is still on its way is lost (RFC 5246, 7.2.1). */
  close(): void {
    if (this.#state === 'ended') return;
    this.#end({
      kind: 'closed',
      by: 'server',
      finalBytes: this.#sealAlert('close_notify', AlertLevel.warning),
    });
  }

  /** Ends without an alert: the transport is gone. */
  abandon(): void {
    if (this.#state === 'ended') return;
    this.#end({ kind: 'abandoned', finalBytes: NOTHING });
  }

  /** The result of the operation that the connection waits for; one that comes too late or twice is ignored. */
  complete(result: OperationResult): void {
    if (this.#handshake?.io.putCompletion(result) !== true) return;
    // Called from within operate(): the handshake finds the result without having waited.
    if (this.#driving) return;
    this.#guard(() => {
      this.#drive();
      this.#readRecords();
    });
  }

  // ---- what comes in ----

  #receiveBeginning(bytes: Buffer): void {
    this.#acceptor ??= new Acceptor();
    const accepted = this.#acceptor.push(bytes);
    if (accepted !== undefined) this.#begin(accepted);
  }

  #begin(accepted: Accepted): void {
    this.#acceptor = undefined;
    switch (accepted.kind) {
      case 'client_hello':
        this.#records.push(accepted.rest);
        this.#receiveHello(accepted.hello);
        return;
      case 'malformed':
        this.#useAlertVersion(accepted.clientVersion);
        throw accepted.error;
      case 'alert':
        this.#receiveAlert(accepted.content);
        return;
      default: {
        const { kind } = accepted;
        const finalBytes = kind === 'pure_sslv2' ? SSLV2_NO_CIPHER_ERROR : NOTHING;
        this.#end({ kind: 'not_tls', firstBytes: kind, finalBytes });
      }
    }
  }

  #readRecords(): void {
    // A callee of ours may call receive() or complete(): the loop that is running goes on with what it added.
    if (this.#reading || this.#driving) return;
    this.#reading = true;
    try {
      for (;;) {
        this.#receiveMessages();
        if (!this.wantsInput) return;
        const record = this.#records.next();
        if (record === undefined) return;
        this.#receiveRecord(record);
      }
    } finally {
      this.#reading = false;
    }
  }

  #receiveRecord({ type, content }: RecordContent): void {
    if (this.#reassembly.partial && type !== ContentType.handshake) throw new TlsError('interleaved_record');
    if (type !== ContentType.alert && content.length > 0) this.#warnings = 0;
    switch (type) {
      case ContentType.handshake:
        this.#reassembly.push(content);
        return;
      case ContentType.change_cipher_spec:
        this.#receiveChangeCipherSpec(content);
        return;
      case ContentType.alert:
        this.#receiveAlert(content);
        return;
      case ContentType.application_data:
        if (this.#state !== 'established')
          throw new TlsError('unexpected_record', 'application data in the handshake');
        if (content.length > 0) this.#output.deliver(content);
        this.#checkDataLimit();
    }
  }

  #receiveMessages(): void {
    while (this.wantsInput) {
      const message = this.#reassembly.next(this.#expectedMessage());
      if (message === undefined) return;
      // As a warning, no_renegotiation would leave clients up to OpenSSL 0.9.8a waiting for ServerHello.
      if (this.#state === 'established') throw new TlsError('renegotiation');
      this.#handshake!.io.putMessage(message);
      this.#drive();
    }
  }

  /** RFC 5246, 7.4: there is never more than one message that may come next. */
  #expectedMessage(): HandshakeType | undefined {
    if (this.#state !== 'handshaking') return HandshakeType.client_hello;
    return this.#wait?.for === 'message' ? this.#wait.type : undefined;
  }

  #receiveChangeCipherSpec(content: Buffer): void {
    if (content.length !== 1 || content[0] !== 1) throw new TlsError('malformed_change_cipher_spec');
    if (this.#wait?.for !== 'change_cipher_spec') throw new TlsError('early_change_cipher_spec');
    this.#handshake!.io.putChangeCipherSpec();
    this.#drive();
  }

  #receiveAlert(content: Buffer): void {
    if (content.length !== 2) throw new TlsError('malformed_alert', `${content.length} bytes`);
    const [level, description] = content as unknown as [number, number];
    if (description === AlertDescription.close_notify) {
      this.#end({
        kind: 'closed',
        by: 'client',
        finalBytes: this.#sealAlert('close_notify', AlertLevel.warning),
      });
    } else if (level === AlertLevel.fatal) {
      this.#forgetSession();
      this.#end({ kind: 'peer_alert', alert: alertName(description), finalBytes: NOTHING });
    } else if (level !== AlertLevel.warning) {
      throw new TlsError('unknown_alert_level', `level ${level}`);
    } else if (this.#state === 'handshaking' && description === AlertDescription.no_certificate) {
      // RFC 6101, 5.6.6: an answer to a CertificateRequest, and we send none.
      throw new TlsError('unexpected_message', 'no_certificate');
    } else {
      this.#warnings += 1;
      if (this.#warnings > MAX_WARNINGS) throw new TlsError('too_many_warnings');
    }
  }

  // ---- the handshake ----

  #receiveHello(hello: ClientHello): void {
    this.#hello = hello;
    this.#useAlertVersion(hello.clientVersion);
    if (hello.format === 'sslv2' && !this.#parameters.sslv2Hello) {
      throw new TlsError('sslv2_hello_not_allowed');
    }
    this.#state = 'handshaking';
    const io = new HandshakeIo(this.#parameters, this.#records, this.#output);
    this.#handshake = { io, steps: serverHandshake(io, hello) };
    this.#drive();
  }

  #drive(): void {
    this.#driving = true;
    try {
      const { steps } = this.#handshake!;
      const step = steps.next();
      if (this.#hasEnded()) steps.return(undefined as never);
      else if (step.done === true) this.#establish(step.value);
      else this.#wait = step.value;
    } finally {
      this.#driving = false;
    }
  }

  #establish({ established, sessionId }: Completed): void {
    this.#sessionId = sessionId;
    this.#handshake = undefined;
    this.#wait = undefined;
    this.#state = 'established';
    const { version, suite } = established;
    const cbc = suite.bulk.kind === 'cbc';
    this.#splitWrites = this.#parameters.recordSplitting && cbc && version <= ProtocolVersion.TLSv1;
    this.#limitedByBlocks = cbc && suite.bulk.blockLength === SMALL_BLOCK_LENGTH;
    this.#output.established(established);
    this.#hello = undefined;
  }

  /** As a method, because a callee may have ended the connection since the compiler last looked. */
  #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  // ---- what goes out ----

  #sealAlert(alert: AlertName, level: AlertLevel): Buffer {
    const pieces: Buffer[] = [];
    this.#records.seal(
      ContentType.alert,
      Buffer.of(level, alertNumber(alert, this.#records.version)),
      pieces,
    );
    return Buffer.concat(pieces);
  }

  /**
   * Before a version is agreed on, alerts carry the client's own, as far as it exists (RFC 7507, 3). Their numbers are
   * those of TLS even then: a client of SSLv3 that gets no SSLv3 must see protocol_version (RFC 7568, 3; RFC 5246, E.1).
   */
  #useAlertVersion(clientVersion: number): void {
    const known = VERSIONS.find((version) => version === clientVersion);
    const newest =
      clientVersion > ProtocolVersion['TLSv1.2'] ? ProtocolVersion['TLSv1.2'] : ProtocolVersion.TLSv1;
    this.#records.useVersion(known ?? newest, false);
  }

  #checkDataLimit(): void {
    if (this.#hasEnded() || !this.#limitedByBlocks) return;
    if (this.#records.bytesUnderKey <= this.#parameters.smallBlockLimit) return;
    this.#end({ kind: 'data_limit', finalBytes: this.#sealAlert('close_notify', AlertLevel.warning) });
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
      const finalBytes = this.#sealAlert(REFUSALS[error.reason].alert, AlertLevel.fatal);
      this.#end({ kind: 'refused', error, finalBytes });
    }
  }

  #forgetSession(): void {
    if (this.#sessionId !== undefined) this.#output.forgetSession(this.#sessionId);
  }

  #end(outcome: Outcome): void {
    this.#state = 'ended';
    // Runs the finally blocks, which wipe the secrets of an unfinished handshake.
    const handshake = this.#handshake;
    const wait = this.#wait;
    this.#handshake = undefined;
    this.#wait = undefined;
    this.#acceptor = undefined;
    handshake?.io.close();
    if (!this.#driving) handshake?.steps.return(undefined as never);
    this.#output.ended(outcome, wait);
  }
}

const NOTHING = Buffer.alloc(0);
const CLIENT_HELLO: Wait = { for: 'message', type: HandshakeType.client_hello };
const VERSIONS = Object.values(ProtocolVersion);

/** ERROR with NO-CIPHER-ERROR (Hickman, 5.5.1): what a client of SSL 2.0 understands, and not SSL 2.0 spoken. */
const SSLV2_NO_CIPHER_ERROR = Buffer.from('8003000001', 'hex');

/** Bytes: DES and 3DES. */
const SMALL_BLOCK_LENGTH = 8;

/** Bytes of plaintext from which on copying them once more costs more than writing in pieces. */
const WORTH_PIECES = 4096;

/** In a row; the number BoringSSL uses. */
const MAX_WARNINGS = 4;

/** Bytes that may wait while the host is busy with an operation: a socket's read buffer that was already on its way. */
const MAX_BUFFERED = 128 * 1024;
