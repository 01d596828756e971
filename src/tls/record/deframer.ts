/**
 * TLSCiphertext records from a byte stream that may be cut anywhere (RFC 5246, 6.2; RFC 6101, 5.2). Knows lengths and
 * nothing of versions, keys or content.
 */
import { TlsError } from '../alert.js';

export interface RecordHeaderAndFragment {
  /** Not yet known to be a ContentType. */
  readonly type: number;
  readonly version: number;
  readonly fragment: Buffer;
}

/** Keeps at most one unfinished record, besides the chunk that is being read. */
export class Deframer {
  /** Bytes a fragment may have, protection included; holds for headers that were not read yet. */
  maxFragment: number;
  readonly #checkHeader: (type: number, version: number) => void;
  #input: Buffer = EMPTY;
  #at = 0;
  /** A record that began in an earlier chunk; `#have` bytes of it are there. */
  #partial: Buffer | undefined;
  #have = 0;
  readonly #header = Buffer.alloc(RECORD_HEADER_LENGTH);

  /** @param checkHeader throws for a record that need not be waited for */
  constructor(maxFragment: number, checkHeader: (type: number, version: number) => void) {
    this.maxFragment = maxFragment;
    this.#checkHeader = checkHeader;
  }

  /** Bytes that were pushed and not yet read as a record. */
  get buffered(): number {
    return this.#input.length - this.#at + this.#have;
  }

  /** Fragments are views of `chunk` where a record lies in it whole; the Deframer owns it until it is read. */
  push(chunk: Buffer): void {
    if (this.#at === this.#input.length) this.#input = chunk;
    else this.#input = Buffer.concat([this.#input.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /**
   * The next whole record, or undefined when more bytes are needed.
   * @throws TlsError record_overflow and what `checkHeader` throws, as soon as the header is there
   */
  next(): RecordHeaderAndFragment | undefined {
    if (this.#have > 0) return this.#resume();
    const available = this.#input.length - this.#at;
    if (available >= RECORD_HEADER_LENGTH) {
      const end = this.#at + RECORD_HEADER_LENGTH + this.#readHeader(this.#input, this.#at);
      if (end <= this.#input.length) {
        const record = view(this.#input, this.#at, end);
        this.#at = end;
        return record;
      }
    }
    return this.#resume();
  }

  /** Copies what there is of a record that spans chunks. */
  #resume(): RecordHeaderAndFragment | undefined {
    if (this.#have < RECORD_HEADER_LENGTH) {
      this.#have += this.#fill(this.#header);
      if (this.#have < RECORD_HEADER_LENGTH) return undefined;
      const total = RECORD_HEADER_LENGTH + this.#readHeader(this.#header, 0);
      // Not from Node's pool, which an idle connection would keep.
      this.#partial = Buffer.allocUnsafeSlow(total);
      this.#header.copy(this.#partial);
    }
    const partial = this.#partial!;
    this.#have += this.#fill(partial);
    if (this.#have < partial.length) return undefined;
    this.#partial = undefined;
    this.#have = 0;
    return view(partial, 0, partial.length);
  }

  /** Moves input into `target` from `#have` on, until one of them ends; input that has ended is let go. */
  #fill(target: Buffer): number {
    const copied = this.#input.copy(target, this.#have, this.#at);
    this.#at += copied;
    if (this.#at === this.#input.length) {
      this.#input = EMPTY;
      this.#at = 0;
    }
    return copied;
  }

  /** The length of the fragment. */
  #readHeader(bytes: Buffer, at: number): number {
    this.#checkHeader(bytes[at]!, bytes.readUInt16BE(at + 1));
    const length = bytes.readUInt16BE(at + 3);
    if (length > this.maxFragment) throw new TlsError('record_overflow', `a fragment of ${length} bytes`);
    return length;
  }
}

function view(bytes: Buffer, from: number, end: number): RecordHeaderAndFragment {
  return {
    type: bytes[from]!,
    version: bytes.readUInt16BE(from + 1),
    fragment: bytes.subarray(from + RECORD_HEADER_LENGTH, end),
  };
}

const EMPTY = Buffer.alloc(0);

/** Bytes: type, version, length. */
export const RECORD_HEADER_LENGTH = 5;
/** Bytes of TLSPlaintext.fragment (RFC 5246, 6.2.1). */
export const MAX_PLAINTEXT_LENGTH = 2 ** 14;
/** Bytes of TLSPlaintext.fragment that old Microsoft stacks send in spite of the above. */
export const MAX_LARGE_PLAINTEXT_LENGTH = 2 ** 15;
/** Bytes that protection may add: MAC, padding, IV (RFC 5246, 6.2.3; compression is never used). */
export const MAX_PROTECTION_OVERHEAD_BYTES = 2048;
/** Bytes that protection does add at most: an IV of 16, a MAC of 48, padding of 256. */
export const MAX_SUITE_OVERHEAD_BYTES = 320;
