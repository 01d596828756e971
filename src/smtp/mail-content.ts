/** Where the content of a message ends: after CRLF.CRLF (RFC 5321, 4.5.2), or after the byte count of BDAT (RFC 3030). */

/**
 * `end`: every server agrees that the content ends here. `unclear`: some servers do, because to them a dot stands on a line
 * of its own. `contradictory`: some servers have seen the end before the last byte.
 */
export type ContentEnd = 'end' | 'unclear' | 'contradictory';

export interface FoundEnd {
  readonly kind: ContentEnd;
  /** Bytes of the chunk up to and with the last one that was looked at. */
  readonly length: number;
}

/** What is sent after a command and is no command. */
export interface Content {
  /** @returns undefined where the content goes on behind these bytes */
  push(bytes: Buffer): FoundEnd | undefined;
}

/**
 * Looks for the end of the content of DATA, in bytes that may be cut anywhere. Some servers take a lone CR or LF for the
 * end of a line, and skip NUL, so that a client could show the end of a message to some servers only (SMTP smuggling).
 */
export class DataContent implements Content {
  #at: Position = 'line_start';

  push(bytes: Buffer): FoundEnd | undefined {
    for (let index = 0; index < bytes.length; index += 1) {
      if (this.#at === 'line') {
        index = nextLineBreak(bytes, index);
        if (index === bytes.length) return undefined;
      }
      const next = NEXT[this.#at](bytes[index]!);
      if (isEnd(next)) return { kind: next, length: index + 1 };
      this.#at = next;
    }
    return undefined;
  }
}

/** Counts the bytes of a chunk. */
export class ChunkContent implements Content {
  #remaining: number;

  constructor(size: number) {
    this.#remaining = size;
  }

  push(bytes: Buffer): FoundEnd | undefined {
    const length = Math.min(bytes.length, this.#remaining);
    this.#remaining -= length;
    return this.#remaining === 0 ? { kind: 'end', length } : undefined;
  }
}

/** `line_start` is the beginning of a line by every reading, `start` by one of them; so are the dots that follow. */
type Position = 'line' | 'cr' | 'start' | 'line_start' | 'dot' | 'dot_cr' | 'line_dot' | 'line_dot_cr';

const NEXT: Readonly<Record<Position, (byte: number) => Position | ContentEnd>> = {
  line: (byte) => (byte === LF ? 'start' : byte === CR ? 'cr' : 'line'),
  cr: (byte) => (byte === LF ? 'line_start' : NEXT.start(byte)),
  start: (byte) => (byte === DOT ? 'dot' : byte === NUL ? 'start' : NEXT.line(byte)),
  line_start: (byte) => (byte === DOT ? 'line_dot' : NEXT.start(byte)),
  dot: (byte) => (byte === LF ? 'unclear' : byte === CR ? 'dot_cr' : byte === NUL ? 'dot' : 'line'),
  dot_cr: (byte) => (byte === LF ? 'unclear' : 'contradictory'),
  line_dot: (byte) => (byte === CR ? 'line_dot_cr' : NEXT.dot(byte)),
  line_dot_cr: (byte) => (byte === LF ? 'end' : 'contradictory'),
};

function isEnd(next: Position | ContentEnd): next is ContentEnd {
  return next === 'end' || next === 'unclear' || next === 'contradictory';
}

function nextLineBreak(bytes: Buffer, from: number): number {
  let index = from;
  while (index < bytes.length && bytes[index] !== LF && bytes[index] !== CR) index += 1;
  return index;
}

/**
 * The size in a BDAT command.
 * @returns undefined where servers may read it differently, or not at all, and would take the chunk for commands
 */
export function chunkSize(line: Buffer): number | undefined {
  const digits = /^BDAT (0|[1-9]\d{0,9})(?: LAST)?\r\n$/i.exec(line.toString('latin1'))?.[1];
  const size = digits === undefined ? Infinity : Number(digits);
  return size <= MAX_CHUNK_BYTES ? size : undefined;
}

/** Servers that count in 32 bits would read another size. */
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const NUL = 0;
