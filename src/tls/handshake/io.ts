/** What the handshake sends and receives: messages in their transcript, ChangeCipherSpec, and operations of the host. */
import { TlsError } from '../alert.js';
import { ContentType, HANDSHAKE_HEADER_LENGTH, HandshakeType, type ProtocolVersion } from '../code-points.js';
import type { ReadProtection, WriteProtection } from '../record/protection.js';
import type { HandshakeMessage } from '../record/reassembly.js';
import type { RecordLayer } from '../record/record-layer.js';
import type {
  FindSessionOperation,
  Operation,
  OperationResult,
  PrivateKeyOperation,
  CompleteParameters,
} from '../server-parameters.js';
import type { Session } from '../session/session.js';
import { Writer } from '../wire.js';
import { Transcript } from './transcript.js';
import type { Step } from './wait.js';

/** The effects of a handshake; see ConnectionOutput. */
export interface HandshakeOutput {
  /** Bytes for the client, a record or a piece of one; the callee owns the buffer, and does well to cork its socket. */
  transmit(bytes: Buffer): void;
  /** To be answered with `complete`, at once or later; meanwhile the connection reads nothing. */
  operate(operation: Operation): void;
  /**
   * The client may offer this id later, and `find_session` will ask for it. The session is the callee's from here on,
   * its master secret to be wiped when it goes; outside this process it must not lie in clear, for which
   * `TicketKeys.protect` serves. The handshake does not wait until it is saved: a client that reconnects too early gets
   * a full handshake.
   */
  saveSession(id: Buffer, session: Session): void;
}

export class HandshakeIo {
  readonly parameters: CompleteParameters;
  readonly transcript = new Transcript();
  readonly #records: RecordLayer;
  readonly #output: HandshakeOutput;
  #flight: Buffer[] = [];
  #closed = false;
  // At most one of each, since the handshake is driven after each.
  #message: HandshakeMessage | undefined;
  #changeCipherSpec = false;
  #operating = false;
  #completion: { readonly result: OperationResult } | undefined;

  constructor(parameters: CompleteParameters, records: RecordLayer, output: HandshakeOutput) {
    this.parameters = parameters;
    this.#records = records;
    this.#output = output;
  }

  // ---- for the connection ----

  putMessage(message: HandshakeMessage): void {
    this.#message = message;
  }

  putChangeCipherSpec(): void {
    this.#changeCipherSpec = true;
  }

  /** @returns whether it was waited for: one that comes too late or twice is ignored */
  putCompletion(result: OperationResult): boolean {
    if (!this.#operating) return false;
    this.#operating = false;
    this.#completion = { result };
    return true;
  }

  /** From here on nothing leaves: a handshake that is being driven goes on to its next wait. */
  close(): void {
    this.#closed = true;
    this.#operating = false;
  }

  // ---- for the handshake ----

  /** From here on records carry this version, and alerts have its numbers. */
  useVersion(version: ProtocolVersion): void {
    this.#records.useVersion(version, true);
  }

  /** From here on no record, of either side, holds more plaintext than this. */
  limitFragments(maxFragmentLength: number): void {
    this.#records.limitFragments(maxFragmentLength);
  }

  /** Adds one message to the transcript and to the flight. */
  send(type: HandshakeType, body: Uint8Array): void {
    const message = new Writer(HANDSHAKE_HEADER_LENGTH + body.length)
      .u8(type)
      .vector24((w) => w.bytes(body))
      .done();
    this.transcript.add(message);
    this.#records.seal(ContentType.handshake, message, this.#flight);
  }

  /** What follows it is under `protection`. */
  sendChangeCipherSpec(protection: WriteProtection): void {
    this.#records.seal(ContentType.change_cipher_spec, CHANGE_CIPHER_SPEC, this.#flight);
    this.#records.protectWrites(protection);
  }

  /** Sends the flight, in one piece. */
  flush(): void {
    const flight = this.#flight;
    this.#flight = [];
    if (!this.#closed) this.#output.transmit(Buffer.concat(flight));
  }

  saveSession(id: Buffer, session: Session): void {
    if (this.#closed) session.masterSecret.fill(0);
    else this.#output.saveSession(id, session);
  }

  /** The body of the next handshake message, which the connection has checked to be of this type. */
  *receive(type: HandshakeType): Step<Buffer> {
    while (this.#message === undefined) yield { for: 'message', type };
    const { message, body } = this.#message;
    this.#message = undefined;
    this.transcript.add(message);
    return body;
  }

  /** What follows it is under `protection`. */
  *receiveChangeCipherSpec(protection: ReadProtection): Step<void> {
    while (!this.#changeCipherSpec) yield { for: 'change_cipher_spec' };
    this.#changeCipherSpec = false;
    this.#records.protectReads(protection);
  }

  /** A signature or a raw RSA decryption, done by the host, which holds the key. */
  *privateKey(operation: PrivateKeyOperation): Step<Buffer> {
    const result = yield* this.#operate(operation);
    if (!Buffer.isBuffer(result)) {
      throw new TlsError('internal_error', 'the private key did not do its part', { cause: result });
    }
    return result;
  }

  /** A session by its id; a store that fails is a store that has nothing. */
  *findSession(operation: FindSessionOperation): Step<Session | undefined> {
    const result = yield* this.#operate(operation);
    return result instanceof Error || Buffer.isBuffer(result) ? undefined : result;
  }

  *#operate(operation: Operation): Step<OperationResult> {
    this.#operating = true;
    this.#output.operate(operation);
    while (this.#completion === undefined) yield { for: 'operation', operation };
    const { result } = this.#completion;
    this.#completion = undefined;
    return result;
  }
}

const CHANGE_CIPHER_SPEC = Buffer.of(1);
