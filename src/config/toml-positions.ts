/**
 * Where in a TOML text each key stands, for error messages; the parser does not tell. It reads over a text as the
 * parser does, without looking at what the values mean. Paths are written `tls.profile`, `listener[0].mode`,
 * `policy[1].networks[2]`.
 */

export interface Places {
  /** The line, from 1, of this path, or of the nearest thing that it is part of; undefined where there is none. */
  lineOf(path: string): number | undefined;
  /** A key or table that stands a second time, which TOML forbids. */
  readonly repeated: Repeated | undefined;
}

export interface Repeated {
  readonly path: string;
  readonly line: number;
  readonly first: number;
}

/** @param source any text; of what is not TOML some places may be missing or wrong */
export function placesOf(source: string): Places {
  return new Scanner(source);
}

/** @param table '' for the top of the document */
export function pathOf(table: string, key: string): string {
  const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  return table === '' ? name : `${table}.${name}`;
}

class Scanner implements Places {
  readonly #source: string;
  readonly #lines = new Map<string, number>();
  /** Entries that each array of tables has so far. */
  readonly #entries = new Map<string, number>();
  repeated: Repeated | undefined;
  #at = 0;
  #line = 1;
  #counted = 0;

  constructor(source: string) {
    this.#source = source;
    this.#document();
  }

  lineOf(path: string): number | undefined {
    const line = this.#lines.get(path);
    if (line !== undefined) return line;
    const parent = path.replace(LAST_STEP, '');
    return parent === path ? undefined : this.lineOf(parent);
  }

  /** Each turn takes at least one character, whatever comes. */
  #document(): void {
    let table = '';
    for (;;) {
      this.#take(BLANK);
      if (this.#at >= this.#source.length) return;
      if (this.#take(ARRAY_HEADER) !== '') table = this.#openEntry(this.#key(''));
      else if (this.#take(HEADER) !== '') this.#add((table = this.#key('')), true);
      else this.#keyAndValue(table);
      this.#take(REST_OF_LINE);
    }
  }

  #openEntry(array: string): string {
    const index = this.#entries.get(array) ?? 0;
    this.#entries.set(array, index + 1);
    if (index === 0) this.#add(array);
    this.#add(`${array}[${index}]`);
    return `${array}[${index}]`;
  }

  #keyAndValue(table: string): void {
    const path = this.#key(table);
    this.#take(SPACE);
    if (this.#take(EQUALS) === '') return;
    this.#add(path, true);
    this.#take(SPACE);
    this.#value(path);
  }

  /** A dotted key; in a header, what is an array of tables means its newest entry. */
  #key(table: string): string {
    let path = table;
    do {
      const entries = this.#entries.get(path);
      if (entries !== undefined) path = `${path}[${entries - 1}]`;
      this.#take(SPACE);
      path = pathOf(path, this.#take(KEY).replace(/^(["'])(.*)\1$/, '$2'));
      if (!this.#lines.has(path) && this.#source[this.#at] === '.') this.#add(path);
      this.#take(SPACE);
    } while (this.#take(DOT) !== '');
    return path;
  }

  #value(path: string): void {
    if (this.#take(OPEN_BRACKET) !== '') this.#elements(CLOSE_BRACKET, (index) => this.#element(path, index));
    else if (this.#take(OPEN_BRACE) !== '') this.#elements(CLOSE_BRACE, () => this.#keyAndValue(path));
    else if (this.#take(STRING) === '') this.#take(SCALAR);
  }

  #element(path: string, index: number): void {
    this.#add(`${path}[${index}]`);
    this.#value(`${path}[${index}]`);
  }

  #elements(close: RegExp, read: (index: number) => void): void {
    for (let index = 0; ; index += 1) {
      this.#take(BLANK);
      const before = this.#at;
      if (this.#take(close) !== '') return;
      read(index);
      this.#take(BLANK);
      this.#take(COMMA);
      if (this.#at === before) return;
    }
  }

  #add(path: string, once = false): void {
    const line = this.#currentLine();
    const first = this.#lines.get(path);
    if (first === undefined) this.#lines.set(path, line);
    else if (once) this.repeated ??= { path, line, first };
  }

  #currentLine(): number {
    for (; this.#counted < this.#at; this.#counted += 1) {
      if (this.#source.charCodeAt(this.#counted) === NEWLINE) this.#line += 1;
    }
    return this.#line;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#source)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }
}

const BLANK = /(?:[\s\uFEFF]|#[^\n]*)+/y;
const SPACE = /[ \t]+/y;
const REST_OF_LINE = /[^\n]*\n?/y;
const ARRAY_HEADER = /\[\[/y;
const HEADER = /\[/y;
const KEY = /[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
const DOT = /\./y;
const EQUALS = /=/y;
const COMMA = /,/y;
const OPEN_BRACKET = /\[/y;
const CLOSE_BRACKET = /\]/y;
const OPEN_BRACE = /\{/y;
const CLOSE_BRACE = /\}/y;
const STRING = /"""(?:[^\\]|\\[\s\S])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
/** Numbers, booleans and dates, which may have a space in them. */
const SCALAR = /[^,\]}\s#]+(?: \d[^,\]}\s#]*)?/y;
/** `.key`, `."quoted key"` or `[index]` at the end of a path. */
const LAST_STEP = /(?:\.(?:[\w-]+|"(?:[^"\\]|\\.)*")|\[\d+\])$/;
const NEWLINE = 0x0a;
