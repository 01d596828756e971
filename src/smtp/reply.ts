/** Replies of a backend, whole and byte for byte (RFC 5321, 4.2), and what is changed in the one to EHLO. */
import { LineReader } from './line-reader.js';

export interface Reply {
  readonly code: number;
  /** Each with its CRLF. */
  readonly lines: readonly Buffer[];
}

export type ReplyRead =
  { readonly reply: Reply } | { readonly violation: 'reply_malformed' | 'reply_too_long' };

export class ReplyReader {
  readonly #reader = new LineReader(MAX_REPLY_LINE);
  #lines: Buffer[] = [];

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
        return { reply: { code: Number(line.toString('latin1', 0, 3)), lines } };
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

export interface EhloRewrite {
  /** `replace` by ours, `keep` the backend's if it has one, or `remove` it. */
  readonly starttls: 'replace' | 'keep' | 'remove';
  readonly withholdAuth: boolean;
}

/**
 * The reply to EHLO as the client may see it: without what the backend offers only to us, and with our STARTTLS. Lines
 * that stay, stay byte for byte, but for the mark that says whether another follows.
 */
export function rewriteEhloReply({ lines }: Reply, rewrite: EhloRewrite): Buffer {
  const [greeting, ...keywords] = lines;
  const kept = [greeting!, ...keywords.flatMap((line) => rewriteKeyword(line, rewrite))];
  if (rewrite.starttls === 'replace') kept.push(Buffer.from('250 STARTTLS\r\n'));
  return Buffer.concat(kept.map((line, index) => withMark(line, index < kept.length - 1 ? HYPHEN : SPACE)));
}

function rewriteKeyword(line: Buffer, { starttls, withholdAuth }: EhloRewrite): Buffer[] {
  const text = line.toString('latin1', 4, line.length - 2);
  const keyword = /^[^ \t=]*/.exec(text)![0].toUpperCase();
  if (HIDDEN.has(keyword)) return [];
  if (keyword === 'STARTTLS') return starttls === 'keep' ? [line] : [];
  if (keyword !== 'AUTH') return [line];
  return withholdAuth ? [] : withoutChannelBinding(line, text);
}

/** RFC 5802, 6: channel binding would bind to a TLS session that the backend is no part of. */
function withoutChannelBinding(line: Buffer, text: string): Buffer[] {
  const [, keyword, mechanisms] = /^([^ \t=]*[ \t=])(.*)$/.exec(text) ?? [];
  if (keyword === undefined || !/-PLUS\b/i.test(mechanisms!)) return [line];
  const kept = mechanisms!.split(/[ \t]+/).filter((name) => name !== '' && !/-PLUS$/i.test(name));
  if (kept.length === 0) return [];
  return [Buffer.concat([line.subarray(0, 4), Buffer.from(`${keyword}${kept.join(' ')}\r\n`, 'latin1')])];
}

function withMark(line: Buffer, mark: number): Buffer {
  if (line[3] === mark) return line;
  const marked = line.length > 5 ? Buffer.from(line) : Buffer.from(`${line.toString('latin1', 0, 3)} \r\n`);
  marked[3] = mark;
  return marked;
}

/** Three digits, then a space, a hyphen, or nothing at all (RFC 5321, 4.2). */
function isReplyLine(line: Buffer): boolean {
  return /^[2-5]\d\d(?:[ -]|\r\n$)/.test(line.toString('latin1', 0, 6));
}

/** For those the backend trusts, which is us and not the client. */
const HIDDEN = new Set(['XCLIENT', 'XFORWARD']);

const LF = 0x0a;
/** The end of a reply that is not 3yz (RFC 5321, 4.2). */
const LAST_REPLY_LINE = /^[245]\d\d[ \r]$/;
const HYPHEN = 0x2d;
const SPACE = 0x20;
/** Bytes with CRLF: RFC 5321, 4.5.3.1.5 has 512; some backends say more. */
const MAX_REPLY_LINE = 2048;
/** The longest EHLO replies have about twenty. */
const MAX_REPLY_LINES = 128;
