/**
 * Messages from one process to another, gathered in their order: each by itself costs a system call and wakes the other
 * process, and a connection makes four of them.
 */
export class Outbox<T> {
  readonly #send: (messages: readonly T[]) => void;
  #messages: T[] = [];
  #later: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(send: (messages: readonly T[]) => void) {
    this.#send = send;
  }

  /** Leaves, with everything before it, when this turn of the event loop is over. */
  putSoon(message: T): void {
    this.#messages.push(message);
    this.#soon ??= setImmediate(() => this.flush());
  }

  /** Leaves within a moment, behind everything before it. */
  put(message: T): void {
    this.#messages.push(message);
    if (this.#messages.length >= MAX_GATHERED_MESSAGES) this.flush();
    else if (this.#soon === undefined) this.#later ??= setTimeout(() => this.flush(), GATHER_TIME_MS);
  }

  flush(): void {
    clearTimeout(this.#later);
    clearImmediate(this.#soon);
    this.#later = this.#soon = undefined;
    const messages = this.#messages;
    this.#messages = [];
    if (messages.length > 0) this.#send(messages);
  }
}

/** Not noticeable in a log, nor for a client that waits for a place. */
const GATHER_TIME_MS = 10;
const MAX_GATHERED_MESSAGES = 100;
