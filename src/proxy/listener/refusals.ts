/**
 * Refused clients. Each gets its reply and a moment to read it. Together they hold a bounded number of descriptors,
 * because no other limit counts them.
 */
import { NO_HANDLER } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';

export class Refusals {
  /** In the order in which they came. */
  readonly #open = new Set<SocketChannel>();
  #max = 1;

  /** @param max how many may be open at once; the oldest is closed when one more comes */
  limitTo(max: number): void {
    this.#max = Math.max(1, max);
  }

  /** @param closed called once, when the connection is over */
  refuse(channel: SocketChannel, reply: Uint8Array | undefined, closed: () => void): void {
    const timer = setTimeout(() => channel.destroy(), REFUSAL_TIMEOUT_MS).unref();
    channel.handler = {
      ...NO_HANDLER,
      closed: () => {
        clearTimeout(timer);
        this.#open.delete(channel);
        closed();
      },
    };
    if (reply !== undefined) channel.write(reply);
    channel.end();
    channel.resume();
    this.#open.add(channel);
    if (this.#open.size > this.#max) this.#closeOldest();
  }

  #closeOldest(): void {
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    this.#open.delete(oldest);
    oldest.destroy();
  }
}

/** For a refused client to read its reply and close. */
const REFUSAL_TIMEOUT_MS = 5_000;
