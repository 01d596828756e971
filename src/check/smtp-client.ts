/** A small SMTP client for checks: one command at a time, each with a timeout. */
import { NO_HANDLER } from '../proxy/transport/channel.js';
import type { SocketChannel } from '../proxy/transport/socket-channel.js';
import { ReplyReader, type Reply } from '../smtp/reply.js';

/** Why there is no reply. */
export type NoReply = 'closed' | 'timeout' | 'broken';

export type Answer = { readonly reply: Reply } | { readonly noReply: NoReply };

export class SmtpClient {
  readonly #channel: SocketChannel;
  readonly #timeoutMs: number;
  readonly #replies = new ReplyReader();
  #ended = false;
  #came: () => void = () => undefined;

  /**
   * @param said bytes that the backend has already sent
   * @param timeoutMs for each reply
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

  /** Waits for the next reply, without sending a command. */
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

  /** @returns the channel, for TLS; this client must not be used any more */
  leave(): SocketChannel {
    this.#channel.pause();
    this.#channel.handler = NO_HANDLER;
    this.#ended = true;
    return this.#channel;
  }

  /** Sends QUIT and waits for the reply or the timeout. */
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
