/**
 * Bytes out of text, in every form in which people have them: a hex stream, xxd, hexdump -C, Wireshark, tcpdump -X,
 * openssl s_client -msg and -debug, Domino's SSL_RCV, escapes of C and shell. Lines that are not hex separate blocks.
 */

export interface Dump {
  /** Bytes that belong together in the text, such as one packet or one message. */
  readonly blocks: readonly Buffer[];
  /** Remarks for the reader, such as missing bytes. */
  readonly notes: readonly string[];
}

export function readDump(text: string): Dump {
  const reader = new DumpReader();
  for (const line of text.split(/\r?\n/)) reader.line(line);
  return reader.dump();
}

class DumpReader {
  readonly #blocks: Buffer[] = [];
  readonly #notes: string[] = [];
  #bytes: number[] = [];
  /** Whether the lines of the open block begin with offsets. */
  #numbered = false;
  /** Set behind a header of openssl for what the client received, and behind a gap. */
  #skipping = false;

  line(line: string): void {
    if (line.trim() === '' || this.#marker(line)) return;
    const numbered = line.length > MAX_DUMP_LINE_CHARACTERS ? null : OFFSET.exec(line);
    if (
      numbered !== null &&
      this.#numberedLine(numbered[1]!, line.slice(numbered[0].length + numbered.index))
    )
      return;
    const hex = plainHex(line);
    if (hex === undefined) this.#close();
    else this.#append(hex, false);
  }

  dump(): Dump {
    this.#close();
    return { blocks: this.#blocks, notes: this.#notes };
  }

  /** `>>>` is what s_client sent, `<<<` what it received. */
  #marker(line: string): boolean {
    const marker = /^(>>>|<<<|write to|read from)/.exec(line)?.[1];
    if (marker === undefined) return false;
    this.#close();
    this.#skipping = marker === '<<<' || marker === 'read from';
    return true;
  }

  #numberedLine(digits: string, rest: string): boolean {
    const bytes = numberedHex(rest);
    if (bytes.length === 0) return false;
    const octal = Number.parseInt(digits, 8);
    // od counts in octal.
    const offset = octal === this.#bytes.length ? octal : Number.parseInt(digits, 16);
    if (offset === 0) {
      const skipping = this.#skipping;
      this.#close();
      this.#skipping = skipping;
      this.#append(bytes, true);
      return true;
    }
    if (!this.#numbered) return false;
    if (offset > this.#bytes.length && !this.#skipping) {
      this.#notes.push(
        `the dump has a gap: ${offset - this.#bytes.length} bytes are missing before offset 0x${offset.toString(16)}; what follows is left out`,
      );
      this.#skipping = true;
    }
    // An overlap is a repeated line.
    if (offset === this.#bytes.length) this.#append(bytes, true);
    return true;
  }

  #append(bytes: Iterable<number>, numbered: boolean): void {
    if (this.#numbered !== numbered) this.#close();
    this.#numbered = numbered;
    if (this.#skipping) return;
    // A hex stream may have more bytes than a function may have arguments.
    for (const byte of bytes) this.#bytes.push(byte);
  }

  #close(): void {
    if (this.#bytes.length > 0) this.#blocks.push(Buffer.from(this.#bytes));
    this.#bytes = [];
    this.#numbered = false;
    this.#skipping = false;
  }
}

/** A line with nothing but hex and what separates it; undefined for others. */
function plainHex(line: string): Buffer | undefined {
  const hex = line
    .replace(/^.*>\s*/, '')
    .replace(/\\x|0x/gi, '')
    .replace(/[\s,:;(){}[\]"'-]/g, '');
  if (hex.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(hex)) return undefined;
  // A short word of the letters a to f is a word.
  if (hex.length < 8 && !/[0-9]/.test(hex)) return undefined;
  return Buffer.from(hex, 'hex');
}

/** The hex behind an offset, without the characters that dumps repeat at the end of the line. */
function numberedHex(rest: string): number[] {
  const whole = rest.trimEnd();
  const bar = whole.indexOf('|');
  const canonical = bar !== -1 && bar < whole.length - 1 && whole.endsWith('|');
  const text = withoutQuoted(canonical ? whole.slice(0, bar) : whole);
  const bytes: number[] = [];
  const token = /(\s*|-)([0-9a-f]{8}|[0-9a-f]{4}|[0-9a-f]{2})(?=[\s-]|$)/giy;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, separator, digits] = match;
    const middle = bytes.length === HALF_LINE_BYTES && separator === '  ' && digits!.length === 2;
    if (bytes.length > 0 && separator!.length > 1 && !canonical && !middle) break;
    bytes.push(...Buffer.from(digits!, 'hex'));
  }
  return bytes;
}

/** Not by one regular expression: for a hostile line it takes time that grows with the third power of the length. */
function withoutQuoted(text: string): string {
  const trimmed = text.trimEnd();
  const quote = trimmed.search(/\s'/) + 1;
  const quoted = quote > 0 && quote < trimmed.length - 1 && trimmed.endsWith("'");
  return quoted ? trimmed.slice(0, quote).trimEnd() : text;
}

/** "00000010: ", "0x0010:  ", "0010 - ", "00000010  ", "000010 " */
const OFFSET =
  /(?:^|[\s>])(?:0x)?([0-9a-f]{4,8}(?=:|\s-\s|\s\s)|[0-9a-f]{6,8}(?=\s))(?::|\s-)?\s*(?=[0-9a-f]{2})/i;
/** Several times the longest line of the forms above; a longer one can only be a hex stream. */
const MAX_DUMP_LINE_CHARACTERS = 1_000;
/** Some dumps have a wider space in the middle of a line. */
const HALF_LINE_BYTES = 8;
