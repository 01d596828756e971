/**
 * Reads what a connection begins with, without an answer, so that a host can look at the ClientHello and decide which
 * server continues: this engine by `ServerConnection.accept`, or another one, which gets `bytes` as they came.
 */
import { AlertDescription, AlertLevel, TlsError } from '../alert.js';
import { ContentType, HandshakeType } from '../code-points.js';
import { MAX_PLAINTEXT_LENGTH, RECORD_HEADER_LENGTH } from '../record/deframer.js';
import { Reassembly } from '../record/reassembly.js';
import { lastingCopy } from '../wire.js';
import { decodeClientHello, type ClientHello } from './client-hello.js';
import { classifyFirstBytes, FIRST_BYTES_NEEDED, type FirstBytes } from './first-bytes.js';
import { checkSslv2HelloLength, decodeSslv2ClientHello, sslv2HelloLength } from './sslv2-client-hello.js';

/** What is no TLS, or SSL 2.0 itself: a TLS alert would mean nothing to the peer. */
export type NotTls = Exclude<FirstBytes, 'need_more' | 'sslv2_hello' | 'record' | 'unknown_version'>;

type Beginning =
  /** `rest` is what came behind the hello. */
  | { readonly kind: 'client_hello'; readonly hello: ClientHello; readonly rest: Buffer }
  /** TLS, but not a readable ClientHello: `ServerConnection.accept` answers with the right alert. */
  | { readonly kind: 'malformed'; readonly error: TlsError; readonly clientVersion: number }
  /** The client gave up before it began; `content` is a fatal alert or close_notify. */
  | { readonly kind: 'alert'; readonly content: Buffer }
  | { readonly kind: NotTls };

/** `bytes` is all that came so far. */
export type Accepted = Beginning & { readonly bytes: Buffer };

/** One per connection. Keeps at most the longest hello in its worst fragmentation, about 36 KiB, and what came with it. */
export class Acceptor {
  #buffer: Buffer = EMPTY;
  #length = 0;
  /** The decision needs at least this many bytes. */
  #needed = FIRST_BYTES_NEEDED;
  readonly #reassembly = new Reassembly();
  /** Where the next unread record begins. */
  #at = 0;
  /** The version that an alert must carry (RFC 7507, 3): of the first record, then of the hello. */
  #clientVersion = 0;

  /**
   * Takes bytes from the client, cut anywhere; the acceptor owns `chunk`.
   * @returns undefined while more bytes are needed; do not call it again after any other result
   */
  push(chunk: Buffer): Accepted | undefined {
    this.#append(chunk);
    if (this.#length < this.#needed) return undefined;
    const beginning = this.#beginning();
    return beginning && { ...beginning, bytes: this.#received() };
  }

  #beginning(): Beginning | undefined {
    try {
      return this.#read();
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      return { kind: 'malformed', error, clientVersion: this.#clientVersion };
    }
  }

  #read(): Beginning | undefined {
    const kind = classifyFirstBytes(this.#received());
    switch (kind) {
      case 'need_more':
        return undefined;
      case 'sslv2_hello':
        return this.#readSslv2Hello();
      case 'record':
        return this.#readRecords();
      case 'unknown_version':
        this.#clientVersion = this.#buffer.readUInt16BE(this.#buffer[0]! >= 0x80 ? 3 : 1);
        throw new TlsError('not_tls', `first bytes ${this.#buffer.toString('hex', 0, FIRST_BYTES_NEEDED)}`);
      default:
        return { kind };
    }
  }

  #readSslv2Hello(): Beginning | undefined {
    this.#clientVersion = this.#buffer.readUInt16BE(3);
    const total = sslv2HelloLength(this.#buffer);
    checkSslv2HelloLength(total);
    if (!this.#has(total)) return undefined;
    const hello = decodeSslv2ClientHello(lastingCopy(this.#buffer.subarray(0, total)));
    return { kind: 'client_hello', hello, rest: this.#received().subarray(total) };
  }

  /** RFC 5246, 6.2.1: one handshake message may be spread over several records. */
  #readRecords(): Beginning | undefined {
    if (this.#at === 0) this.#clientVersion = this.#buffer.readUInt16BE(1);
    for (;;) {
      const from = this.#at + RECORD_HEADER_LENGTH;
      if (!this.#has(from)) return undefined;
      const type = this.#buffer[this.#at]!;
      const end = from + this.#readHeader(type);
      if (!this.#has(end)) return undefined;
      this.#at = end;
      const fragment = this.#buffer.subarray(from, end);
      if (type === ContentType.alert) return { kind: 'alert', content: checkFirstAlert(fragment) };
      this.#reassembly.push(fragment);
      const hello = this.#nextHello();
      if (hello !== undefined) {
        return { kind: 'client_hello', hello, rest: this.#received().subarray(end) };
      }
    }
  }

  /** The length of the next record, which may begin with a hello or continue one. */
  #readHeader(type: number): number {
    const version = this.#buffer.readUInt16BE(this.#at + 1);
    const length = this.#buffer.readUInt16BE(this.#at + 3);
    if (type === ContentType.change_cipher_spec) throw new TlsError('early_change_cipher_spec');
    if (type !== ContentType.handshake && type !== ContentType.alert) {
      throw new TlsError('unexpected_record', `content type ${type} before ClientHello`);
    }
    if (version >> 8 !== 3) {
      throw new TlsError('wrong_record_version', `0x${version.toString(16).padStart(4, '0')}`);
    }
    if (this.#reassembly.partial && type !== ContentType.handshake) throw new TlsError('interleaved_record');
    if (length > MAX_PLAINTEXT_LENGTH) throw new TlsError('record_overflow', `a fragment of ${length} bytes`);
    if (length === 0) throw new TlsError('empty_record');
    return length;
  }

  #nextHello(): ClientHello | undefined {
    const first = this.#reassembly.next(HandshakeType.client_hello);
    if (first === undefined) return undefined;
    if (first.body.length >= 2) this.#clientVersion = first.body.readUInt16BE(0);
    const hello = decodeClientHello(first.message);
    // RFC 5246, 7.3: the client waits for ServerHello before it sends another message.
    if (this.#reassembly.partial) throw new TlsError('unexpected_message', 'bytes behind ClientHello');
    return hello;
  }

  #append(chunk: Buffer): void {
    if (this.#length === 0) {
      // A hello in one piece, as nearly all come, is not copied here.
      this.#buffer = chunk;
      this.#length = chunk.length;
      return;
    }
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#buffer.length));
      this.#received().copy(grown);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  #received(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Where this is false, `push` does not look again before that many bytes came. */
  #has(total: number): boolean {
    this.#needed = total;
    return this.#length >= total;
  }
}

/** A warning other than close_notify would announce a hello, and no client sends one. */
function checkFirstAlert(content: Buffer): Buffer {
  if (content.length !== 2) throw new TlsError('malformed_alert', `${content.length} bytes`);
  if (content[0] !== AlertLevel.fatal && content[1] !== AlertDescription.close_notify) {
    throw new TlsError('unexpected_record', 'a warning before ClientHello');
  }
  return lastingCopy(content);
}

const EMPTY = Buffer.alloc(0);
