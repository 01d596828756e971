/** What the server sends outside its handshake: application data and alerts, in records that are protected as agreed. */
import { AlertDescription, type AlertLevel, type AlertName } from './alert.js';
import { ContentType, ProtocolVersion } from './code-points.js';
import type { Established } from './handshake/established.js';
import type { RecordLayer } from './record/record-layer.js';
import type { CompleteParameters } from './server-parameters.js';

export class Outgoing {
  readonly #parameters: CompleteParameters;
  readonly #records: RecordLayer;
  #splitWrites = false;
  /** The first data cannot have been chosen by what was sent before, so it need not be split. */
  #hasSent = false;
  #limitedByBlocks = false;

  constructor(parameters: CompleteParameters, records: RecordLayer) {
    this.#parameters = parameters;
    this.#records = records;
  }

  established({ version, suite }: Established): void {
    const cbc = suite.bulk.kind === 'cbc';
    this.#splitWrites = this.#parameters.recordSplitting && cbc && version <= ProtocolVersion.TLSv1;
    this.#limitedByBlocks = cbc && suite.bulk.blockLength === SMALL_BLOCK_LENGTH;
  }

  /** Whether a 64-bit block cipher has protected as much as is safe. */
  get exhausted(): boolean {
    return this.#limitedByBlocks && this.#records.bytesUnderKey > this.#parameters.smallBlockLimit;
  }

  /** @returns what to transmit, one after the other */
  data(plaintext: Uint8Array): readonly Buffer[] {
    const pieces: Buffer[] = [];
    if (this.#splitWrites && this.#hasSent) {
      this.#records.seal(ContentType.application_data, plaintext.subarray(0, 1), pieces);
      this.#records.seal(ContentType.application_data, plaintext.subarray(1), pieces);
    } else {
      this.#records.seal(ContentType.application_data, plaintext, pieces);
    }
    this.#hasSent = true;
    return plaintext.length < MIN_BYTES_IN_PIECES ? [Buffer.concat(pieces)] : pieces;
  }

  alert(alert: AlertName, level: AlertLevel): Buffer {
    const pieces: Buffer[] = [];
    this.#records.seal(ContentType.alert, Buffer.of(level, AlertDescription[alert]), pieces);
    return Buffer.concat(pieces);
  }

  /**
   * Before a version is agreed on, alerts carry the client's own, as far as it exists (RFC 7507, 3). Their numbers are
   * those of TLS even then: a client of SSLv3 that gets no SSLv3 must see protocol_version (RFC 7568, 3; RFC 5246, E.1).
   */
  useAlertVersion(clientVersion: number): void {
    const known = VERSIONS.find((version) => version === clientVersion);
    const newest =
      clientVersion > ProtocolVersion['TLSv1.2'] ? ProtocolVersion['TLSv1.2'] : ProtocolVersion.TLSv1;
    this.#records.useVersion(known ?? newest, false);
  }
}

const VERSIONS = Object.values(ProtocolVersion);

/** Of DES and 3DES. */
const SMALL_BLOCK_LENGTH = 8;

/** From here on copying plaintext once more costs more than writing in pieces. */
const MIN_BYTES_IN_PIECES = 4096;
