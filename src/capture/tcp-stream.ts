/** One direction of a TCP connection: puts segments in order, without those that came twice. */

/** `gap`: bytes are missing that the capture does not have. */
export interface StreamReader {
  /** `bytes` are valid until it returns. */
  receive(bytes: Buffer): void;
  gap(): void;
}

export class TcpStream {
  readonly #reader: StreamReader;
  /** The sequence number of the next byte; undefined before the first segment. */
  #next: number | undefined;
  /** Segments beyond a hole, in the order of their sequence numbers. */
  #pending: { readonly sequence: number; readonly bytes: Buffer }[] = [];
  #isLost = false;
  /** Bytes of `#pending`. */
  pendingLength = 0;

  constructor(reader: StreamReader) {
    this.#reader = reader;
  }

  /** The connection begins with the byte after this one (RFC 9293, 3.4). */
  begin(synSequence: number): void {
    this.#next ??= (synSequence + 1) >>> 0;
  }

  /** @param missing bytes behind `bytes` that were not captured */
  push(sequence: number, bytes: Buffer, missing: number): void {
    if (this.#isLost || bytes.length + missing === 0) return;
    this.#next ??= sequence;
    const ahead = distance(this.#next, sequence);
    if (ahead > 0) this.#keep(sequence, bytes, ahead);
    else this.#deliver(sequence, bytes);
    if (missing > 0) this.#lose();
  }

  /** The connection is over, or no hole will be filled any more. */
  end(): void {
    if (this.#pending.length > 0) this.#lose();
  }

  #deliver(sequence: number, bytes: Buffer): void {
    this.#deliverNew(sequence, bytes);
    while (this.#pending.length > 0 && distance(this.#next!, this.#pending[0]!.sequence) <= 0) {
      const { sequence: at, bytes: kept } = this.#pending.shift()!;
      this.pendingLength -= kept.length;
      this.#deliverNew(at, kept);
    }
  }

  /** Without the bytes that were delivered before, from an earlier transmission. */
  #deliverNew(sequence: number, bytes: Buffer): void {
    const seen = distance(sequence, this.#next!);
    if (seen >= bytes.length) return;
    this.#next = (sequence + bytes.length) >>> 0;
    this.#reader.receive(bytes.subarray(seen));
  }

  #keep(sequence: number, bytes: Buffer, ahead: number): void {
    const isFull =
      this.#pending.length >= MAX_PENDING_SEGMENTS || this.pendingLength + bytes.length > MAX_PENDING_BYTES;
    if (ahead > MAX_WINDOW_BYTES || isFull) {
      this.#lose();
      return;
    }
    // From the end, because most segments behind a hole come in order.
    const before = this.#pending.findLastIndex((one) => distance(sequence, one.sequence) <= 0);
    this.#pending.splice(before + 1, 0, { sequence, bytes: Buffer.from(bytes) });
    this.pendingLength += bytes.length;
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#pending = [];
    this.pendingLength = 0;
    this.#reader.gap();
  }
}

/** How far `to` is ahead of `from`, with sequence numbers that wrap around. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Several times what a handshake is long. */
const MAX_PENDING_BYTES = 64 * 1024;
/** The same in segments of 256 bytes; each one costs much more memory than a byte. */
const MAX_PENDING_SEGMENTS = 256;
/** A segment further ahead belongs to another connection or is forged. */
const MAX_WINDOW_BYTES = 1 << 20;
