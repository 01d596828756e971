/**
 * The two directions of a connection as RFC 5246, 6.1 has them: bytes to authenticated content, content to records.
 * It checks what a record may be, and leaves to its owner what the content may mean.
 */
import { TlsError } from '../alert.js';
import { ContentType, ProtocolVersion } from '../code-points.js';
import {
  Deframer,
  MAX_LARGE_PLAINTEXT_LENGTH,
  MAX_PLAINTEXT_LENGTH,
  MAX_PROTECTION_OVERHEAD_BYTES,
  MAX_SUITE_OVERHEAD_BYTES,
  RECORD_HEADER_LENGTH,
} from './deframer.js';
import {
  nullReadProtection,
  nullWriteProtection,
  type ReadProtection,
  type WriteProtection,
} from './protection.js';

export interface RecordContent {
  readonly type: ContentType;
  readonly content: Buffer;
}

export class RecordLayer {
  readonly #deframer: Deframer;
  #maxPlaintext: number;
  #maxOverhead = MAX_PROTECTION_OVERHEAD_BYTES;
  /** Undefined until negotiated: a first hello may carry any version (RFC 5246, E.1). */
  #version: ProtocolVersion | undefined;
  #read: ReadProtection = nullReadProtection;
  #readProtected = false;
  #write: WriteProtection;
  #maxFragment = MAX_PLAINTEXT_LENGTH;
  #emptyRecords = 0;
  #bytesRead = 0;
  #bytesWritten = 0;

  constructor({ largeRecords }: { readonly largeRecords: boolean }) {
    this.#maxPlaintext = largeRecords ? MAX_LARGE_PLAINTEXT_LENGTH : MAX_PLAINTEXT_LENGTH;
    this.#deframer = new Deframer(this.#maxPlaintext, (type, version) => this.#checkHeader(type, version));
    this.#write = nullWriteProtection(ProtocolVersion.SSLv3);
  }

  /** Bytes that the current keys have encrypted, padding and MAC included, in the busier direction. */
  get bytesUnderKey(): number {
    return Math.max(this.#bytesRead, this.#bytesWritten);
  }

  /** As negotiated; undefined before that. */
  get version(): ProtocolVersion | undefined {
    return this.#version;
  }

  /** Bytes received and not yet read. */
  get buffered(): number {
    return this.#deframer.buffered;
  }

  push(bytes: Buffer): void {
    this.#deframer.push(bytes);
  }

  /**
   * The next record's content, or undefined when more bytes are needed.
   * @throws TlsError record_overflow, unexpected_record, wrong_record_version, empty_record, bad_record_mac
   */
  next(): RecordContent | undefined {
    const record = this.#deframer.next();
    if (record === undefined) return undefined;
    const type = record.type as ContentType;
    const content = this.#read.open(type, record.fragment);
    if (content.length > this.#maxPlaintext) throw new TlsError('record_overflow', `${content.length} bytes`);
    this.#countEmpty(type, content);
    this.#bytesRead += record.fragment.length;
    return { type, content };
  }

  /** The version our records carry; without `negotiated`, the client's may still carry any. */
  useVersion(version: ProtocolVersion, negotiated: boolean): void {
    this.#write = nullWriteProtection(version);
    if (negotiated) this.#version = version;
  }

  protectReads(protection: ReadProtection): void {
    this.#read = protection;
    this.#readProtected = true;
    this.#deframer.maxFragment = this.#maxPlaintext + this.#maxOverhead;
    this.#bytesRead = 0;
  }

  protectWrites(protection: WriteProtection): void {
    this.#write = protection;
    this.#bytesWritten = 0;
  }

  /** RFC 6066, 4: from here on both sides keep to it. Comes before any protection. */
  limitFragments(maxFragmentLength: number): void {
    this.#maxFragment = maxFragmentLength;
    this.#maxPlaintext = maxFragmentLength;
    this.#maxOverhead = MAX_SUITE_OVERHEAD_BYTES;
    this.#deframer.maxFragment = maxFragmentLength;
  }

  /** `content` as one or more whole records, appended to `output` in pieces. */
  seal(type: ContentType, content: Uint8Array, output: Buffer[]): void {
    for (let at = 0; at < content.length; at += this.#maxFragment) {
      const end = Math.min(at + this.#maxFragment, content.length);
      this.#bytesWritten -= RECORD_HEADER_LENGTH;
      for (const piece of this.#write.seal(type, content.subarray(at, end))) {
        this.#bytesWritten += piece.length;
        output.push(piece);
      }
    }
  }

  #checkHeader(type: number, version: number): void {
    if (!isContentType(type)) throw new TlsError('unexpected_record', `content type ${type}`);
    // A client that gives up on our ServerHello sends its alert in any version it has.
    const anyVersion = this.#version === undefined || (type === ContentType.alert && !this.#readProtected);
    if (anyVersion ? version >> 8 !== 3 : version !== this.#version) {
      throw new TlsError('wrong_record_version', `0x${version.toString(16).padStart(4, '0')}`);
    }
  }

  /**
   * RFC 5246, 6.2.1: only application data may be empty; clients that guard against BEAST send one such record in front
   * of each other (OpenSSL since 0.9.6d), and no client sends many in a row.
   */
  #countEmpty(type: ContentType, content: Buffer): void {
    if (content.length > 0) {
      this.#emptyRecords = 0;
      return;
    }
    this.#emptyRecords += 1;
    if (type !== ContentType.application_data || this.#emptyRecords > MAX_EMPTY_RECORDS) {
      throw new TlsError('empty_record');
    }
  }
}

function isContentType(type: number): type is ContentType {
  return type >= ContentType.change_cipher_spec && type <= ContentType.application_data;
}

/** In a row; the number BoringSSL uses. */
const MAX_EMPTY_RECORDS = 32;
