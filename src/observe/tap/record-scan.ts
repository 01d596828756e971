/** Follows the TLS records of one direction until they are encrypted, for the alert that ends a failed handshake. */
import { AlertLevel, alertName, ContentType, RECORD_HEADER_LENGTH } from '../../tls/wire-format.js';

export class RecordScan {
  readonly #header = Buffer.alloc(RECORD_HEADER_LENGTH + ALERT_LENGTH);
  #headerLength = 0;
  /** Bytes of the present record's body still to come. */
  #skip = 0;
  /** The name of the first fatal alert. */
  fatalAlert: string | undefined;
  /** ChangeCipherSpec or application data came: all that follows is encrypted. */
  isEncrypted = false;
  #isRetried = false;

  /** A HelloRetryRequest came: the next ChangeCipherSpec begins nothing (RFC 8446, D.4), and all TLS 1.3 encrypts is data. */
  retried(): void {
    this.#isRetried = true;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.isEncrypted && this.fatalAlert === undefined) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else {
        at = this.#readHeader(bytes, at);
      }
    }
  }

  /** The header of a record at `at`, and the alert in it if it is one. @returns where it ends */
  #readHeader(bytes: Buffer, at: number): number {
    const isAlert = (this.#headerLength > 0 ? this.#header[0] : bytes[at]) === ContentType.alert;
    const wanted = RECORD_HEADER_LENGTH + (isAlert ? ALERT_LENGTH : 0);
    // A loop, because empty records are many, and each call of Buffer's costs more than this.
    while (this.#headerLength < wanted && at < bytes.length)
      this.#header[this.#headerLength++] = bytes[at++]!;
    if (this.#headerLength < wanted) return at;
    this.#headerLength = 0;
    const [type, level, description] = [this.#header[0]!, this.#header[5]!, this.#header[6]!];
    const length = this.#header.readUInt16BE(3);
    const begins = type === ContentType.change_cipher_spec && !this.#isRetried;
    if (begins || type === ContentType.application_data) this.isEncrypted = true;
    else if (isAlert && length === ALERT_LENGTH && level === AlertLevel.fatal)
      this.fatalAlert = alertName(description);
    this.#skip = Math.max(0, length - (isAlert ? ALERT_LENGTH : 0));
    return at;
  }
}

const ALERT_LENGTH = 2;
