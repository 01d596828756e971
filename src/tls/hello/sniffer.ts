/**
 * Reads the ClientHello a connection opens with, without answering or consuming anything, so that a host can decide who
 * serves it: the bytes then go, as they came, to whoever does.
 */
import { TlsError } from '../alert.js';
import { ContentType, HandshakeType } from '../code-points.js';
import { Reassembly } from '../record/reassembly.js';
import { MAX_PLAINTEXT_LENGTH, RECORD_HEADER_LENGTH } from '../record/deframer.js';
import { decodeClientHello, type ClientHello } from './client-hello.js';
import { classifyFirstBytes, FIRST_BYTES_NEEDED, type FirstBytes } from './first-bytes.js';
import { checkSslv2HelloLength, decodeSslv2ClientHello, sslv2HelloLength } from './sslv2-client-hello.js';

export type Sniffed =
  | { readonly kind: 'need_more' }
  | { readonly kind: 'client_hello'; readonly hello: ClientHello }
  /** TLS, but not a readable ClientHello: `ServerConnection` answers these bytes with the right alert. */
  | { readonly kind: 'malformed'; readonly error: TlsError }
  | { readonly kind: Exclude<FirstBytes, 'need_more' | 'sslv2_hello' | 'record'> };

/** One a connection. Keeps at most the longest hello in its worst fragmentation, about 36 KiB, and what came with it. */
export class HelloSniffer {
  #buffer: Buffer = Buffer.alloc(INITIAL_CAPACITY);
  #length = 0;
  /** Nothing new can be said before this many bytes are there. */
  #needed = FIRST_BYTES_NEEDED;
  readonly #reassembly = new Reassembly();
  /** Where the next unread record begins. */
  #at = 0;

  /** Everything that came so far. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  push(chunk: Uint8Array): Sniffed {
    this.#append(chunk);
    if (this.#length < this.#needed) return NEED_MORE;
    const kind = classifyFirstBytes(this.bytes);
    try {
      switch (kind) {
        case 'sslv2_hello':
          return this.#sslv2Hello();
        case 'record':
          return this.#recordHello();
        default:
          return { kind };
      }
    } catch (error) {
      if (error instanceof TlsError) return { kind: 'malformed', error };
      throw error;
    }
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#buffer.length));
      this.bytes.copy(grown);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  #sslv2Hello(): Sniffed {
    const total = sslv2HelloLength(this.#buffer);
    checkSslv2HelloLength(total);
    if (this.#length < total) return this.#need(total);
    return { kind: 'client_hello', hello: decodeSslv2ClientHello(this.bytes.subarray(0, total)) };
  }

  /** RFC 5246, 6.2.1: one handshake message may be spread over several records. */
  #recordHello(): Sniffed {
    for (;;) {
      const from = this.#at + RECORD_HEADER_LENGTH;
      if (this.#length < from) return this.#need(from);
      if (this.#buffer[this.#at + 1] !== 3) throw new TlsError('wrong_record_version');
      const length = this.#buffer.readUInt16BE(this.#at + 3);
      if (length > MAX_PLAINTEXT_LENGTH) throw new TlsError('record_overflow');
      if (length === 0 || this.#buffer[this.#at] !== ContentType.handshake) {
        throw new TlsError('unexpected_record');
      }
      if (this.#length < from + length) return this.#need(from + length);
      this.#reassembly.push(this.#buffer.subarray(from, from + length));
      this.#at = from + length;
      const first = this.#reassembly.next(HandshakeType.client_hello);
      if (first === undefined) continue;
      return { kind: 'client_hello', hello: decodeClientHello(first.message) };
    }
  }

  #need(total: number): Sniffed {
    this.#needed = total;
    return NEED_MORE;
  }
}

const NEED_MORE: Sniffed = { kind: 'need_more' };
/** Bytes: room for nearly every hello ever captured. */
const INITIAL_CAPACITY = 512;
