/** What a server sends: SMTP replies in clear, then its ServerHello or an alert. */
import { ServerHelloWatch, type AgreedTls } from '../hello/server-hello.js';
import { ContentType } from '../../tls/wire-format.js';
import { RecordScan } from './record-scan.js';

export class ServerSide {
  readonly records = new RecordScan();
  readonly #hello = new ServerHelloWatch();
  #inTls = false;
  #atLineStart = true;
  /** Bytes are missing from here on. */
  hasGap = false;
  /** Whether the capture has anything of this direction. */
  hasData = false;
  agreed: AgreedTls | undefined;

  receive(bytes: Buffer): void {
    this.hasData = true;
    const tls = this.#inTls ? bytes : this.#afterReplies(bytes);
    if (tls.length === 0) return;
    this.agreed ??= this.#hello.push(tls);
    this.records.push(tls);
  }

  gap(): void {
    this.hasGap = true;
  }

  /** A reply begins with a digit, and a record of the handshake or an alert with a control character. */
  #afterReplies(bytes: Buffer): Buffer {
    for (let at = 0; at < bytes.length;) {
      if (this.#atLineStart && (bytes[at] === ContentType.handshake || bytes[at] === ContentType.alert)) {
        this.#inTls = true;
        return bytes.subarray(at);
      }
      const newline = bytes.indexOf(NEWLINE, at);
      this.#atLineStart = newline !== -1;
      at = newline === -1 ? bytes.length : newline + 1;
    }
    return NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
const NEWLINE = 0x0a;
