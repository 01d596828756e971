/** What the client sends, one thing at a time: its hello in either format, whole handshake messages, and other records. */
import { AlertDescription, AlertLevel, TlsError } from './alert.js';
import { ContentType, type HandshakeType } from './code-points.js';
import { Acceptor, type Accepted, type NotTls } from './hello/acceptor.js';
import type { ClientHello } from './hello/client-hello.js';
import { Reassembly, type HandshakeMessage } from './record/reassembly.js';
import type { RecordContent, RecordLayer } from './record/record-layer.js';

export type Received =
  | { readonly kind: 'client_hello'; readonly hello: ClientHello }
  | Extract<Accepted, { kind: 'malformed' }>
  | { readonly kind: 'not_tls'; readonly firstBytes: NotTls }
  | { readonly kind: 'message'; readonly message: HandshakeMessage }
  | { readonly kind: 'change_cipher_spec' }
  /** Valid until the next bytes come. */
  | { readonly kind: 'application_data'; readonly content: Buffer }
  | ReceivedAlert;

type ReceivedAlert =
  | { readonly kind: 'close_notify' }
  | { readonly kind: 'fatal_alert'; readonly description: number }
  | { readonly kind: 'warning'; readonly description: number };

export class Incoming {
  readonly #records: RecordLayer;
  readonly #reassembly = new Reassembly();
  /** Until it has read the hello. */
  #acceptor: Acceptor | undefined = new Acceptor();
  #accepted: Accepted | undefined;
  #begun = false;
  #warnings = 0;

  constructor(records: RecordLayer) {
    this.#records = records;
  }

  /** Bytes that wait in unread records. */
  get buffered(): number {
    return this.#records.buffered;
  }

  push(bytes: Buffer): void {
    this.#begun = true;
    if (this.#acceptor === undefined) this.#records.push(bytes);
    else this.#accepted = this.#acceptor.push(bytes);
  }

  /** In place of the first `push`. @throws Error after any other call */
  accept(accepted: Accepted): void {
    if (this.#begun) throw new Error('accept() after receive()');
    this.#begun = true;
    this.#accepted = accepted;
  }

  /**
   * @param expected the handshake message that may come next, undefined for none
   * @returns undefined until more bytes come
   * @throws TlsError
   */
  next(expected: HandshakeType | undefined): Received | undefined {
    const accepted = this.#accepted;
    this.#accepted = undefined;
    if (accepted !== undefined) return this.#begin(accepted);
    for (;;) {
      const message = this.#reassembly.next(expected);
      if (message !== undefined) return { kind: 'message', message };
      const record = this.#records.next();
      if (record === undefined) return undefined;
      const received = this.#read(record);
      if (received !== undefined) return received;
    }
  }

  #begin(accepted: Accepted): Received {
    switch (accepted.kind) {
      case 'client_hello':
        this.#acceptor = undefined;
        this.#records.push(accepted.rest);
        return accepted;
      case 'malformed':
        return accepted;
      case 'alert':
        return this.#readAlert(accepted.content);
      default:
        return { kind: 'not_tls', firstBytes: accepted.kind };
    }
  }

  #readAlert(content: Buffer): ReceivedAlert {
    if (content.length !== 2) throw new TlsError('malformed_alert', `${content.length} bytes`);
    const [level, description] = content as unknown as [number, number];
    if (description === AlertDescription.close_notify) return { kind: 'close_notify' };
    if (level === AlertLevel.fatal) return { kind: 'fatal_alert', description };
    if (level !== AlertLevel.warning) throw new TlsError('unknown_alert_level', `level ${level}`);
    this.#warnings += 1;
    if (this.#warnings > MAX_WARNINGS) throw new TlsError('too_many_warnings');
    return { kind: 'warning', description };
  }

  /** @returns undefined for a piece of a handshake message @throws TlsError */
  #read({ type, content }: RecordContent): Received | undefined {
    if (this.#reassembly.partial && type !== ContentType.handshake) throw new TlsError('interleaved_record');
    if (type !== ContentType.alert && content.length > 0) this.#warnings = 0;
    switch (type) {
      case ContentType.handshake:
        this.#reassembly.push(content);
        return undefined;
      case ContentType.change_cipher_spec:
        if (content.length !== 1 || content[0] !== 1) throw new TlsError('malformed_change_cipher_spec');
        return { kind: 'change_cipher_spec' };
      case ContentType.alert:
        return this.#readAlert(content);
      case ContentType.application_data:
        return { kind: 'application_data', content };
    }
  }
}

/** In a row; the number BoringSSL uses. */
const MAX_WARNINGS = 4;
