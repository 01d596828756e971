/**
 * Writes lines to a file descriptor without ever making the program wait for whoever reads them. While the reader is
 * slow, or the disk is full, lines are kept up to a bound and then dropped, and the next line that goes through can say
 * how many.
 */
import { write } from 'node:fs';

export interface LineOutputOptions {
  readonly fd: number;
  /** Called when lines go through again, with the number that did not. */
  readonly dropped: (lines: number) => void;
  /** For tests; milliseconds. */
  readonly retryAfter?: number;
}

export class LineOutput {
  readonly #options: LineOutputOptions;
  #queue: string[] = [];
  /** Characters. */
  #queued = 0;
  /** What is being written, until all of it is. */
  #chunk: Buffer | undefined;
  #dropped = 0;
  #drained: (() => void)[] = [];

  constructor(options: LineOutputOptions) {
    this.#options = options;
  }

  /** @param line with its line feed */
  write(line: string): void {
    if (this.#queued + line.length > MAX_QUEUED) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(line);
    this.#queued += line.length;
    if (this.#chunk === undefined) this.#next();
  }

  /** Resolves when all is written, or after so many milliseconds. */
  flush(patience: number): Promise<void> {
    if (this.#chunk === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience);
      this.#drained.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #next(): void {
    if (this.#queue.length === 0) {
      this.#chunk = undefined;
      for (const drained of this.#drained.splice(0)) drained();
      return;
    }
    this.#chunk = Buffer.from(this.#queue.join(''));
    this.#queue = [];
    this.#queued = 0;
    this.#write(this.#chunk);
  }

  #write(bytes: Buffer): void {
    const { fd, retryAfter = RETRY_AFTER } = this.#options;
    write(fd, bytes, (error, written) => {
      if (error !== null) {
        setTimeout(() => this.#write(bytes), retryAfter).unref();
        return;
      }
      if (written < bytes.length) {
        this.#write(bytes.subarray(written));
        return;
      }
      this.#tellDropped();
      this.#next();
    });
  }

  #tellDropped(): void {
    const lines = this.#dropped;
    if (lines === 0) return;
    this.#dropped = 0;
    this.#options.dropped(lines);
  }
}

/** Characters: some thousand lines; what a reader that hangs costs us in memory. */
const MAX_QUEUED = 4 * 1024 * 1024;
/** Milliseconds until a full disk, or a pipe that takes nothing, is tried again. */
const RETRY_AFTER = 500;
