/** What a server sends: SMTP replies in clear, then its ServerHello or an alert. */
import { ServerHelloWatch, type AgreedTls } from '../hello/server-hello.js';
import { ContentType } from '../../tls/wire-format.js';
import { endOfLine, MAX_CLEAR_BYTES } from './clear-text.js';
import { RecordScan } from './record-scan.js';

export class ServerSide {
  readonly records = new RecordScan();
  readonly #client: RecordScan;
  readonly #hello = new ServerHelloWatch();
  #inTls = false;
  #atLineStart = true;
  /** Bytes of replies so far. */
  #clearBytes = 0;
  /** Bytes are missing from here on. */
  hasGap = false;
  /** Whether the capture has anything of this direction. */
  hasData = false;
  agreed: AgreedTls | undefined;

  /** @param client the records of the other direction */
  constructor(client: RecordScan) {
    this.#client = client;
  }

  receive(bytes: Buffer): void {
    this.hasData = true;
    const tls = this.#inTls ? bytes : this.#afterReplies(bytes);
    if (tls.length === 0) return;
    this.agreed ??= this.#hello.push(tls);
    if (this.#hello.isRetried) for (const records of [this.records, this.#client]) records.retried();
    this.records.push(tls);
  }

  gap(): void {
    this.hasGap = true;
  }

  /** A reply begins with a digit, and a record of the handshake or an alert with a control character. */
  #afterReplies(bytes: Buffer): Buffer {
    const end = Math.min(bytes.length, MAX_CLEAR_BYTES - this.#clearBytes);
    for (let at = 0; at < end;) {
      if (this.#atLineStart && (bytes[at] === ContentType.handshake || bytes[at] === ContentType.alert)) {
        this.#inTls = true;
        return bytes.subarray(at);
      }
      const lineEnd = endOfLine(bytes, at, end);
      this.#atLineStart = lineEnd < end;
      at = lineEnd + 1;
    }
    this.#clearBytes += end;
    return NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
