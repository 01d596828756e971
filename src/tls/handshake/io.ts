/** What the handshake sees of its connection: an inbox to take from, and a few plain calls for what leaves. */
import type { HandshakeType } from '../code-points.js';
import type { ReadProtection, WriteProtection } from '../record/protection.js';
import type { Operation, OperationResult, ServerParameters } from '../server-parameters.js';
import type { VersionRules } from './version-rules.js';
import type { HandshakeMessage } from '../record/reassembly.js';
import type { Session } from '../session/session.js';
import type { Transcript } from './transcript.js';

export interface HandshakeIo {
  readonly parameters: ServerParameters;
  readonly transcript: Transcript;
  readonly inbox: Inbox;
  /** From here on records carry this version, and alerts are spelled in it. */
  useVersion(rules: VersionRules): void;
  /** From here on no record, of either side, holds more plaintext than this. */
  limitFragments(maxFragmentLength: number): void;
  /** Adds one message to the transcript and to the flight. */
  send(type: HandshakeType, body: Uint8Array): void;
  sendChangeCipherSpec(): void;
  protectWrites(protection: WriteProtection): void;
  protectReads(protection: ReadProtection): void;
  /** Sends what was added to the flight, in one piece. */
  flush(): void;
  operate(operation: Operation): void;
  /** The session with this id is what the connection goes on with. */
  resumeSession(id: Buffer): void;
  saveSession(id: Buffer, session: Session): void;
}

/** What has come in and was not taken yet; holds at most one of each, since the handshake is driven after each. */
export class Inbox {
  #message: HandshakeMessage | undefined;
  #changeCipherSpec = false;
  #completion: { readonly result: OperationResult } | undefined;

  putMessage(message: HandshakeMessage): void {
    this.#message = message;
  }

  putChangeCipherSpec(): void {
    this.#changeCipherSpec = true;
  }

  putCompletion(result: OperationResult): void {
    this.#completion = { result };
  }

  takeMessage(): HandshakeMessage | undefined {
    const message = this.#message;
    this.#message = undefined;
    return message;
  }

  takeChangeCipherSpec(): boolean {
    const came = this.#changeCipherSpec;
    this.#changeCipherSpec = false;
    return came;
  }

  takeCompletion(): { readonly result: OperationResult } | undefined {
    const completion = this.#completion;
    this.#completion = undefined;
    return completion;
  }
}
