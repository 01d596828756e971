/** Splits bytes into lines; keeps no more of a line than its bound. */

export class Lines {
  readonly #take: (line: Buffer) => void;
  /** The beginning of a line whose end has not been read yet. */
  readonly #begun: Buffer = Buffer.allocUnsafe(MAX_LINE_BYTES);
  #length = 0;
  #skipping = false;
  /** Lines that were left out because they exceed the bound. */
  tooLong = 0;

  /** @param take gets each line without its newline; the bytes are valid until it returns */
  constructor(take: (line: Buffer) => void) {
    this.#take = take;
  }

  push(bytes: Buffer): void {
    let from = 0;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, from);
      if (newline < 0) break;
      this.#end(bytes, from, newline);
      from = newline + 1;
    }
    this.#keep(bytes, from, bytes.length);
  }

  /** What follows the last newline is a line too. */
  end(): void {
    this.#end(NOTHING, 0, 0);
  }

  #end(bytes: Buffer, from: number, to: number): void {
    if (this.#length === 0 && !this.#skipping && to - from <= MAX_LINE_BYTES) {
      if (to > from) this.#take(bytes.subarray(from, to));
      return;
    }
    this.#keep(bytes, from, to);
    if (this.#skipping) this.tooLong += 1;
    else this.#take(this.#begun.subarray(0, this.#length));
    this.#length = 0;
    this.#skipping = false;
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (this.#skipping) return;
    if (this.#length + to - from > MAX_LINE_BYTES) {
      this.#skipping = true;
      return;
    }
    this.#length += bytes.copy(this.#begun, this.#length, from, to);
  }
}

const NOTHING = Buffer.alloc(0);
const NEWLINE = 0x0a;
/** A `connection_closed` line has under 8 KiB, and journald wraps it into about as much again. */
export const MAX_LINE_BYTES = 1 << 18;
