/** What a client sends, taken apart: command lines, and content that is no command. */
import { looksLikeClientHello, MAX_COMMAND_LINE_BYTES } from './command.js';
import { LineReader, type LineRules, type LineViolation } from './line-reader.js';
import { ChunkContent, DataContent, type Content } from './mail-content.js';

export type ClientPart =
  | { readonly line: Buffer }
  | { readonly content: Buffer }
  | { readonly violation: LineViolation | 'content_end_unclear' };

/** Where the content of DATA stands: some servers have seen the end of what is `unclear`. */
export type ContentState = 'open' | 'unclear' | 'over';

export class ClientStream {
  readonly #lines: LineReader;
  /** Undefined while commands are expected. */
  #content: Content | undefined;
  #state: ContentState = 'over';

  constructor({ bareLf }: Pick<LineRules, 'bareLf'>) {
    this.#lines = new LineReader({ maxLength: MAX_COMMAND_LINE_BYTES, bareLf });
  }

  /** Bytes that were pushed and not yet read. */
  get buffered(): number {
    return this.#lines.buffered;
  }

  /** More waits to be read than a client may send ahead. */
  get overflows(): boolean {
    return this.#lines.buffered > MAX_HELD_BYTES;
  }

  get contentState(): ContentState {
    return this.#state;
  }

  /** Whether the client begins TLS where a command should begin. @param bytes what it sends next */
  isClientHello(bytes: Buffer): boolean {
    return this.#expectsCommand && this.#lines.buffered === 0 && looksLikeClientHello(bytes);
  }

  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  beginData(): void {
    this.#content = new DataContent();
    this.#state = 'open';
  }

  beginChunk(size: number): void {
    this.#content = new ChunkContent(size);
  }

  /** The backend has seen the end of content that was unclear. */
  endContent(): void {
    this.#content = undefined;
    this.#state = 'over';
  }

  /** Undefined when more bytes are needed. */
  next(): ClientPart | undefined {
    if (this.#expectsCommand) return this.#lines.next();
    if (this.#lines.buffered === 0) return undefined;
    if (this.#content === undefined) return { violation: 'content_end_unclear' };
    return this.#nextContent(this.#content);
  }

  /** Everything that was not read, which is then forgotten here. */
  takeRest(): Buffer {
    return this.#lines.takeRest();
  }

  get #expectsCommand(): boolean {
    return this.#content === undefined && this.#state === 'over';
  }

  #nextContent(content: Content): ClientPart {
    const bytes = this.#lines.takeRest();
    const end = content.push(bytes);
    if (end === undefined) return { content: bytes };
    const rest = bytes.subarray(end.length);
    if (end.kind === 'contradictory' || (end.kind === 'unclear' && rest.length > 0)) {
      return { violation: 'content_end_unclear' };
    }
    this.#content = undefined;
    this.#state = end.kind === 'end' ? 'over' : 'unclear';
    if (rest.length > 0) this.#lines.push(rest);
    return { content: bytes.subarray(0, end.length) };
  }
}

/** Commands that wait for the backend: what a hundred pipelined commands take, several times over. */
const MAX_HELD_BYTES = 64 * 1024;
