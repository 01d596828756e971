/** Asks what preload.js, which runs within oldhello, can tell and do. */
import { text } from 'node:stream/consumers';
import { connect } from 'node:net';

export class Inside {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** After collecting garbage; bytes. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    return (await this.#ask('memory')) as NodeJS.MemoryUsage;
  }

  /** @param ahead milliseconds from the right time */
  async setClock(ahead: number): Promise<void> {
    await this.#ask('clock', ahead);
  }

  async #ask(...question: readonly unknown[]): Promise<unknown> {
    const socket = connect(this.#socket);
    socket.write(JSON.stringify(question));
    return JSON.parse(await text(socket)) as unknown;
  }
}
