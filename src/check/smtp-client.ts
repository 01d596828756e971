/** One SMTP command at a time with a backend, as a check holds it: every wait has an end. */
import { NO_HANDLER } from '../proxy/transport/channel.js';
import type { SocketChannel } from '../proxy/transport/socket-channel.js';
import { ReplyReader, type Reply } from '../smtp/reply.js';

/** What came instead of a reply. */
export type NoReply = 'closed' | 'timeout' | 'broken';

export type Answer = { readonly reply: Reply } | { readonly noReply: NoReply };

export class SmtpClient {
  readonly #channel: SocketChannel;
  readonly #timeoutMs: number;
  readonly #replies = new ReplyReader();
  #ended = false;
  #came: () => void = () => undefined;

  /**
   * @param said what the backend has said already
   * @param timeoutMs milliseconds for each reply
   */
  constructor(channel: SocketChannel, said: Buffer, timeoutMs: number) {
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    this.#replies.push(said);
    const ended = (): void => {
      this.#ended = true;
      this.#came();
    };
    channel.handler = {
      ...NO_HANDLER,
      data: (bytes) => {
        this.#replies.push(bytes);
        this.#came();
      },
      end: ended,
      closed: ended,
    };
    channel.resume();
  }

  /** The next reply that was not asked for yet. */
  async reply(): Promise<Answer> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      const read = this.#replies.next();
      if (read !== undefined) return 'reply' in read ? read : { noReply: 'broken' };
      if (this.#ended) return { noReply: 'closed' };
      if (performance.now() >= deadline) return { noReply: 'timeout' };
      await this.#something(deadline - performance.now());
    }
  }

  ask(command: string): Promise<Answer> {
    this.#channel.write(Buffer.from(`${command}\r\n`, 'latin1'));
    return this.reply();
  }

  /** The channel, for TLS to begin on it; this client is over. */
  leave(): SocketChannel {
    this.#channel.pause();
    this.#channel.handler = NO_HANDLER;
    return this.#channel;
  }

  /** QUIT, as a polite client ends; nobody waits for the answer longer than for any other. */
  async quit(): Promise<void> {
    if (!this.#ended) await this.ask('QUIT');
    this.#channel.destroy();
  }

  #something(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#came = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
