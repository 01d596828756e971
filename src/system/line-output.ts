/**
 * Writes lines to a file descriptor without ever making the program wait for whoever reads them. While the reader is
 * slow, or the disk is full, lines are kept up to a bound and then dropped, and the next line that goes through can say
 * how many.
 *
 * A line that comes alone leaves at once; behind one that has just left, lines gather for a moment. Each write is a trip
 * to another thread and back, which would cost a busy proxy a tenth of its time.
 */
import { closeSync, write, writeSync } from 'node:fs';

export interface LineOutputOptions {
  readonly fd: number;
  /** Called when lines go through again, with the number that did not. */
  readonly dropped: (lines: number) => void;
  /** For tests; milliseconds. */
  readonly retryDelayMs?: number;
}

export class LineOutput {
  readonly #options: LineOutputOptions;
  #fd: number;
  /** No longer used, to be closed when nothing is being written. */
  #replaced: number[] = [];
  #queue: string[] = [];
  /** Characters. */
  #queued = 0;
  /** What is being written, until all of it is. */
  #chunk: Buffer | undefined;
  /** Set while lines gather. */
  #gathering: NodeJS.Timeout | undefined;
  #dropped = 0;
  #drained: (() => void)[] = [];

  constructor(options: LineOutputOptions) {
    this.#options = options;
    this.#fd = options.fd;
  }

  /** @param line with its line feed */
  write(line: string): void {
    if (this.#queued + line.length > MAX_QUEUED_CHARACTERS) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(line);
    this.#queued += line.length;
    if (this.#chunk === undefined && this.#gathering === undefined) this.#next();
  }

  /** What comes from now on goes to `fd`. The descriptor so far is closed as soon as no write to it is under way. */
  switchTo(fd: number): void {
    this.#replaced.push(this.#fd);
    this.#fd = fd;
    if (this.#chunk === undefined) this.#closeReplaced();
  }

  /** Resolves when all is written, or after so many milliseconds. */
  flush(timeoutMs: number): Promise<void> {
    if (this.#gathering !== undefined) this.#gathered();
    if (this.#chunk === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#drained.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** For a process that ends without waiting: what the descriptor takes at once. */
  flushSync(): void {
    if (this.#queue.length === 0) return;
    try {
      writeSync(this.#fd, this.#take());
    } catch {
      // Nobody is left to be told.
    }
  }

  #gathered(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#next();
  }

  #next(): void {
    if (this.#queue.length === 0) {
      for (const drained of this.#drained.splice(0)) drained();
      return;
    }
    this.#chunk = Buffer.from(this.#take());
    this.#write(this.#chunk);
  }

  #take(): string {
    const lines = this.#queue.join('');
    this.#queue = [];
    this.#queued = 0;
    return lines;
  }

  #write(bytes: Buffer): void {
    const { retryDelayMs: retryAfter = RETRY_DELAY_MS } = this.#options;
    write(this.#fd, bytes, (error, written) => {
      this.#closeReplaced();
      if (error !== null) {
        setTimeout(() => this.#write(bytes), retryAfter).unref();
        return;
      }
      if (written < bytes.length) {
        this.#write(bytes.subarray(written));
        return;
      }
      this.#reportDropped();
      this.#chunk = undefined;
      if (this.#drained.length > 0) this.#next();
      else this.#gathering = setTimeout(() => this.#gathered(), GATHER_TIME_MS);
    });
  }

  #closeReplaced(): void {
    for (const fd of this.#replaced.splice(0)) closeSync(fd);
  }

  #reportDropped(): void {
    const lines = this.#dropped;
    if (lines === 0) return;
    this.#dropped = 0;
    this.#options.dropped(lines);
  }
}

/** Characters: some thousand lines; what a reader that hangs costs us in memory. */
const MAX_QUEUED_CHARACTERS = 4 * 1024 * 1024;
/** Milliseconds: nobody who follows a log sees the difference. */
const GATHER_TIME_MS = 20;
/** Milliseconds until a full disk, or a pipe that takes nothing, is tried again. */
const RETRY_DELAY_MS = 500;
