/** Replies of a backend, whole and byte for byte (RFC 5321, 4.2). */
import { LineReader } from './line-reader.js';

export interface Reply {
  readonly code: number;
  /** Each with its CRLF. */
  readonly lines: readonly Buffer[];
}

export function wholeReply({ lines }: Reply): Buffer {
  return Buffer.concat(lines);
}

/** @param text a whole reply, each byte a character */
export function replyOf(text: string): Reply {
  const lines = text.split(/(?<=\n)/).map((line) => Buffer.from(line, 'latin1'));
  return { code: Number(text.slice(0, 3)), lines };
}

export function lastLine({ lines }: Reply): string {
  return lines.at(-1)!.toString('latin1').trimEnd();
}

export type ReplyRead =
  { readonly reply: Reply } | { readonly violation: 'reply_malformed' | 'reply_too_long' };

export class ReplyReader {
  readonly #reader = new LineReader({ maxLength: MAX_REPLY_LINE_BYTES, bareLf: 'reject' });
  #lines: Buffer[] = [];
  #lastCode = 0;

  /** Of the last whole reply; 0 before the first. */
  get lastCode(): number {
    return this.#lastCode;
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** The next whole reply; undefined when more bytes are needed. */
  next(): ReplyRead | undefined {
    for (;;) {
      const read = this.#reader.next();
      if (read === undefined) return undefined;
      if ('violation' in read) {
        return { violation: read.violation === 'line_too_long' ? 'reply_too_long' : 'reply_malformed' };
      }
      const { line } = read;
      const first = this.#lines[0] ?? line;
      if (!isReplyLine(line) || line.compare(first, 0, 3, 0, 3) !== 0)
        return { violation: 'reply_malformed' };
      this.#lines.push(line);
      if (line[3] !== HYPHEN) {
        const lines = this.#lines;
        this.#lines = [];
        this.#lastCode = Number(line.toString('latin1', 0, 3));
        return { reply: { code: this.#lastCode, lines } };
      }
      if (this.#lines.length >= MAX_REPLY_LINES) return { violation: 'reply_too_long' };
    }
  }

  /** Bytes that are not yet a whole line. */
  get buffered(): number {
    return this.#reader.buffered;
  }

  takeRest(): Buffer {
    return this.#reader.takeRest();
  }
}

/**
 * The code of the whole reply that what a backend sent ends with, after which it waits for a command; undefined where it
 * does not, or with 3yz waits for something else. A guess from the last line alone, on the safe side, for where replies
 * are not parsed.
 */
export function finalReplyCode(bytes: Buffer): number | undefined {
  const line = bytes.subarray(bytes.lastIndexOf(LF, -2) + 1).toString('latin1', 0, 4);
  return LAST_REPLY_LINE.test(line) && bytes[bytes.length - 1] === LF ? Number(line.slice(0, 3)) : undefined;
}

/** Three digits, then a space, a hyphen, or nothing at all (RFC 5321, 4.2). */
function isReplyLine(line: Buffer): boolean {
  return /^[2-5]\d\d(?:[ -]|\r\n$)/.test(line.toString('latin1', 0, 6));
}

const LF = 0x0a;
/** The end of a reply that is not 3yz (RFC 5321, 4.2). */
const LAST_REPLY_LINE = /^[245]\d\d[ \r]$/;
const HYPHEN = 0x2d;
/** With CRLF: RFC 5321, 4.5.3.1.5 has 512; some backends send more. */
const MAX_REPLY_LINE_BYTES = 2048;
/** The longest EHLO replies have about twenty. */
const MAX_REPLY_LINES = 128;
