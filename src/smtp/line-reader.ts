/** Lines from bytes that may be cut anywhere. A line ends with CRLF; whether LF alone ends one too is for the caller. */

export type LineViolation = 'line_too_long' | 'bare_newline' | 'nul_byte';

/** A line with CRLF; a view of what was pushed, or a copy where it spanned chunks or ended with LF alone. */
export type Line = { readonly line: Buffer } | { readonly violation: LineViolation };

export interface LineRules {
  /** CRLF included. */
  readonly maxLength: number;
  /** `accept`: LF alone ends a line as CRLF does, and the line is given with CRLF. */
  readonly bareLf: 'accept' | 'reject';
}

export class LineReader {
  readonly #rules: LineRules;
  #pending: Buffer = EMPTY;
  /** Up to here `#pending` holds no LF. */
  #searched = 0;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  /** Bytes that were pushed and not yet read. */
  get buffered(): number {
    return this.#pending.length;
  }

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }

  /** The next line or what is wrong with it; undefined when more bytes are needed. */
  next(): Line | undefined {
    const newline = this.#pending.indexOf(LF, this.#searched);
    if (newline < 0) {
      this.#searched = this.#pending.length;
      return this.#pending.length >= this.#rules.maxLength ? { violation: 'line_too_long' } : undefined;
    }
    const line = this.#pending.subarray(0, newline + 1);
    // A view of nothing would still hold the chunk, for as long as a connection is silent.
    this.#pending = line.length === this.#pending.length ? EMPTY : this.#pending.subarray(newline + 1);
    this.#searched = 0;
    return checkLine(line, this.#rules);
  }

  /** Everything that was not read, which is then forgotten here. */
  takeRest(): Buffer {
    const rest = this.#pending;
    this.#pending = EMPTY;
    this.#searched = 0;
    return rest;
  }
}

function checkLine(bytes: Buffer, { maxLength, bareLf }: LineRules): Line {
  const line = bareLf === 'accept' && !bytes.includes(CR) ? withCrLf(bytes) : bytes;
  if (line.length > maxLength) return { violation: 'line_too_long' };
  if (line.indexOf(CR) !== line.length - 2) return { violation: 'bare_newline' };
  return line.includes(NUL) ? { violation: 'nul_byte' } : { line };
}

function withCrLf(line: Buffer): Buffer {
  return Buffer.concat([line.subarray(0, -1), CRLF]);
}

const EMPTY = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n');
const LF = 0x0a;
const CR = 0x0d;
const NUL = 0;
