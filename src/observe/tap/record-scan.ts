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

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.isEncrypted && this.fatalAlert === undefined) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else {
        at += this.#readHeader(bytes.subarray(at));
      }
    }
  }

  /** The header of a record, and the alert in it if it is one. @returns bytes read */
  #readHeader(bytes: Buffer): number {
    const isAlert = (this.#headerLength > 0 ? this.#header[0] : bytes[0]) === ContentType.alert;
    const wanted = RECORD_HEADER_LENGTH + (isAlert ? ALERT_LENGTH : 0);
    const read = bytes.copy(this.#header, this.#headerLength, 0, wanted - this.#headerLength);
    this.#headerLength += read;
    if (this.#headerLength < wanted) return read;
    this.#headerLength = 0;
    const [type, level, description] = [this.#header[0]!, this.#header[5]!, this.#header[6]!];
    const length = this.#header.readUInt16BE(3);
    if (type === ContentType.change_cipher_spec || type === ContentType.application_data)
      this.isEncrypted = true;
    else if (isAlert && length === ALERT_LENGTH && level === AlertLevel.fatal)
      this.fatalAlert = alertName(description);
    this.#skip = Math.max(0, length - (isAlert ? ALERT_LENGTH : 0));
    return read;
  }
}

const ALERT_LENGTH = 2;
