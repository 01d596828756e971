/** A progress bar on standard error; none where that is no terminal. */
import { bar } from './text-chart.js';

export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class Progress {
  readonly #terminal: Terminal;
  readonly #total: number | undefined;
  #read = 0;
  #drawn = 0;

  /** @param total bytes; undefined for a stream */
  constructor(terminal: Terminal, total: number | undefined) {
    this.#terminal = terminal;
    this.#total = total;
  }

  add(bytes: number): void {
    this.#read += bytes;
    const now = performance.now();
    if (this.#terminal.isTTY !== true || now - this.#drawn < REDRAW_INTERVAL_MS) return;
    this.#drawn = now;
    this.#terminal.write(`\r\x1b[K${this.#line()}`);
  }

  /** Erases the bar. */
  end(): void {
    if (this.#drawn > 0) this.#terminal.write('\r\x1b[K');
  }

  #line(): string {
    const megabytes = `${Math.round(this.#read / 1e6)} MB`;
    if (this.#total === undefined || this.#total === 0) return `reading: ${megabytes}`;
    const percent = Math.min(100, Math.floor((this.#read / this.#total) * 100));
    return `reading: ${String(percent).padStart(3)} % ▕${bar(this.#read, this.#total, BAR_COLUMNS).padEnd(BAR_COLUMNS)}▏ ${megabytes}`;
  }
}

const REDRAW_INTERVAL_MS = 100;
const BAR_COLUMNS = 30;
