/** Reads the unencrypted part of a server's first flight, to find out whether the server accepted the hello. */
import { ServerHelloWatch, type AgreedTls } from '../observe/hello/server-hello.js';
import {
  AlertDescription,
  AlertLevel,
  alertName,
  ContentType,
  HANDSHAKE_HEADER_LENGTH,
  HandshakeType,
  MAX_PLAINTEXT_LENGTH,
  RECORD_HEADER_LENGTH,
} from '../tls/wire-format.js';

export type Answer =
  /** The flight is complete; in TLS 1.3, its unencrypted part is. */
  | { readonly kind: 'served'; readonly tls: AgreedTls }
  | { readonly kind: 'refused'; readonly alert: string }
  /** Bytes that are not TLS. */
  | { readonly kind: 'not_tls' };

export class FirstFlight {
  #bytes: Buffer = Buffer.alloc(0);
  #messages: Buffer = Buffer.alloc(0);
  #tls: AgreedTls | undefined;

  /** What the server has agreed to so far. */
  get tls(): AgreedTls | undefined {
    return this.#tls;
  }

  /** @returns the answer, as soon as it is known */
  push(chunk: Buffer): Answer | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= RECORD_HEADER_LENGTH) {
      // An error message of SSL 2.0, which the JDK sends to hellos that it rejects.
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
    if (type === ContentType.alert) {
      if (fragment[0] !== AlertLevel.fatal && fragment[1] !== AlertDescription.close_notify) return undefined;
      return { kind: 'refused', alert: alertName(fragment[1] ?? 0) };
    }
    if (type !== ContentType.handshake)
      return this.#tls === undefined ? NOT_TLS : { kind: 'served', tls: this.#tls };
    this.#messages = Buffer.concat([this.#messages, fragment]);
    return this.#messages.length > MAX_FLIGHT_LENGTH ? NOT_TLS : this.#readMessages();
  }

  #readMessages(): Answer | undefined {
    for (;;) {
      const end =
        this.#messages.length < HANDSHAKE_HEADER_LENGTH
          ? Infinity
          : HANDSHAKE_HEADER_LENGTH + this.#messages.readUIntBE(1, 3);
      if (this.#messages.length < end) return undefined;
      const message = this.#messages.subarray(0, end);
      this.#messages = this.#messages.subarray(end);
      if (message[0] === HandshakeType.server_hello) this.#tls = readServerHello(message);
      if (this.#tls === undefined) return NOT_TLS;
      const over = message[0] === HandshakeType.server_hello_done || this.#tls.version === 'TLSv1.3';
      if (over) return { kind: 'served', tls: this.#tls };
    }
  }
}

/** ServerHelloWatch needs it in one record. */
function readServerHello(message: Buffer): AgreedTls | undefined {
  const header = Buffer.from([ContentType.handshake, 3, 1, 0, 0]);
  header.writeUInt16BE(Math.min(message.length, 0xffff), 3);
  return new ServerHelloWatch().push(Buffer.concat([header, message]));
}

const NOT_TLS: Answer = { kind: 'not_tls' };

const CONTENT_TYPES = new Set<number>(Object.values(ContentType));
/** Bytes; RFC 8446, 5.2 adds 256. */
const MAX_RECORD_LENGTH = RECORD_HEADER_LENGTH + MAX_PLAINTEXT_LENGTH + 256;
/** Bytes: several times the longest chain of certificates. */
const MAX_FLIGHT_LENGTH = 1 << 18;
