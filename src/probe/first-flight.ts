/** Reads the first flight of a server, as far as it is in clear: does it serve what it was offered? */
import { ServerHelloWatch, type AgreedTls } from '../observe/hello/server-hello.js';
import { alertName } from '../tls/index.js';

export type Answer =
  /** The whole flight came: from TLS 1.3 on as far as anybody can read it. */
  | { readonly kind: 'served'; readonly tls: AgreedTls }
  | { readonly kind: 'refused'; readonly alert: string }
  /** Something else than TLS. */
  | { readonly kind: 'not_tls' };

export class FirstFlight {
  #bytes: Buffer = Buffer.alloc(0);
  #messages: Buffer = Buffer.alloc(0);
  #tls: AgreedTls | undefined;

  /** What the server agreed to so far. */
  get tls(): AgreedTls | undefined {
    return this.#tls;
  }

  /** The answer, as soon as it is known. */
  push(chunk: Buffer): Answer | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= RECORD_HEADER_LENGTH) {
      // SSL 2.0's error message, which the JDK sends to hellos that it does not like.
      if ((this.#bytes[0]! & 0x80) !== 0) return { kind: 'refused', alert: 'an error of SSL 2.0' };
      if (!CONTENT_TYPES.has(this.#bytes[0]!) || this.#bytes[1] !== 3) return NOT_TLS;
      const end = RECORD_HEADER_LENGTH + this.#bytes.readUInt16BE(3);
      if (end > MAX_RECORD_LENGTH) return NOT_TLS;
      if (this.#bytes.length < end) return undefined;
      const answer = this.#record(this.#bytes[0]!, this.#bytes.subarray(RECORD_HEADER_LENGTH, end));
      this.#bytes = this.#bytes.subarray(end);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  #record(type: number, fragment: Buffer): Answer | undefined {
    if (type === ALERT) {
      if (fragment[0] !== FATAL && fragment[1] !== CLOSE_NOTIFY) return undefined;
      return { kind: 'refused', alert: alertName(fragment[1] ?? 0) };
    }
    if (type !== HANDSHAKE) return this.#tls === undefined ? NOT_TLS : { kind: 'served', tls: this.#tls };
    this.#messages = Buffer.concat([this.#messages, fragment]);
    return this.#messages.length > MAX_FLIGHT_LENGTH ? NOT_TLS : this.#readMessages();
  }

  #readMessages(): Answer | undefined {
    for (;;) {
      const end = this.#messages.length < 4 ? Infinity : 4 + this.#messages.readUIntBE(1, 3);
      if (this.#messages.length < end) return undefined;
      const message = this.#messages.subarray(0, end);
      this.#messages = this.#messages.subarray(end);
      if (message[0] === SERVER_HELLO) this.#tls = readServerHello(message);
      if (this.#tls === undefined) return NOT_TLS;
      const over = message[0] === SERVER_HELLO_DONE || this.#tls.version === 'TLSv1.3';
      if (over) return { kind: 'served', tls: this.#tls };
    }
  }
}

/** The watch expects it in one record, however it came. */
function readServerHello(message: Buffer): AgreedTls | undefined {
  const header = Buffer.from([HANDSHAKE, 3, 1, 0, 0]);
  header.writeUInt16BE(Math.min(message.length, 0xffff), 3);
  return new ServerHelloWatch().push(Buffer.concat([header, message]));
}

const NOT_TLS: Answer = { kind: 'not_tls' };

/** RFC 5246, 6.2.1 and 7.4. */
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const CONTENT_TYPES = new Set([CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, 23]);
const SERVER_HELLO = 2;
const SERVER_HELLO_DONE = 14;
const FATAL = 2;
const CLOSE_NOTIFY = 0;
/** Bytes. */
const RECORD_HEADER_LENGTH = 5;
const MAX_RECORD_LENGTH = RECORD_HEADER_LENGTH + (1 << 14) + 256;
/** Bytes: a chain of certificates several times as long as any. */
const MAX_FLIGHT_LENGTH = 1 << 18;
