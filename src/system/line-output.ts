/**
 * Writes lines to a file descriptor, and never waits for the reader. While the reader is slow or the disk is full,
 * lines are kept up to a bound and then dropped; their number is reported when lines can be written again. A single
 * line is written at once; lines that follow closely are gathered for a moment, because each write goes through another
 * thread, which would cost a busy proxy a tenth of its time.
 */
import { close, write } from 'node:fs';

export interface LineOutputOptions {
  readonly fd: number;
  /** Called with the number of dropped lines when lines can be written again. */
  readonly dropped: (lines: number) => void;
  /** For tests; milliseconds. */
  readonly retryDelayMs?: number;
}

export class LineOutput {
  readonly #options: LineOutputOptions;
  #fd: number;
  /** Old descriptors, to be closed when no write to them is running. */
  #replaced: number[] = [];
  #queue: string[] = [];
  /** Characters. */
  #queued = 0;
  /** Being written. */
  #chunk: Buffer | undefined;
  #writing = false;
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

  /** Lines from now on go to `fd`. The old descriptor is closed when no write to it is running. */
  switchTo(fd: number): void {
    this.#replaced.push(this.#fd);
    this.#fd = fd;
    if (this.#chunk === undefined) this.#closeReplaced();
  }

  /** Resolves when all lines are written, or after `timeoutMs`. */
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

  /** Whether a write has begun that has not returned: it may wait for the reader. */
  get writing(): boolean {
    return this.#writing;
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
    this.#chunk = Buffer.from(this.#queue.join(''));
    this.#queue = [];
    this.#queued = 0;
    this.#write(this.#chunk);
  }

  #write(bytes: Buffer): void {
    const { retryDelayMs: retryAfter = RETRY_DELAY_MS } = this.#options;
    this.#writing = true;
    write(this.#fd, bytes, (error, written) => {
      this.#writing = false;
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
    for (const fd of this.#replaced.splice(0)) {
      // NFS may report EIO for what was written earlier. The descriptor is free all the same.
      close(fd, () => undefined);
    }
  }

  #reportDropped(): void {
    const lines = this.#dropped;
    if (lines === 0) return;
    this.#dropped = 0;
    this.#options.dropped(lines);
  }
}

/** Some thousand lines; the most memory that a hanging reader costs. */
const MAX_QUEUED_CHARACTERS = 4 * 1024 * 1024;
/** Too short to be noticed by a person who follows a log. */
const GATHER_TIME_MS = 20;
/** Until a failed write is repeated: the disk was full, or the pipe blocked. */
const RETRY_DELAY_MS = 500;
