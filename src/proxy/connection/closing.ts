/** The last phase: buffered bytes are sent and both sides close, within a timeout. */
import { NO_HANDLER, type BackendChannel, type Channel } from '../transport/channel.js';

/** What is still open. */
export interface OpenEnds {
  readonly client?: Channel | undefined;
  readonly backend?: BackendChannel | undefined;
}

export type BackendClose = 'end' | 'destroy' | 'reset';

export class Closing {
  readonly #open = new Set<Channel>();
  readonly #closed: () => void;

  /** @param closed called once, when nothing is open any more */
  constructor(closed: () => void) {
    this.#closed = closed;
  }

  /**
   * @param backend `end`: what was passed on to the backend still arrives; `destroy`: nothing more does, so that a
   *   message that is not complete is not accepted; `reset`: besides, the backend cannot take this for an orderly end
   */
  begin(ends: OpenEnds, backend: BackendClose): void {
    for (const channel of [ends.client, ends.backend]) if (channel !== undefined) this.#open.add(channel);
    if (ends.backend !== undefined) this.#closeBackend(ends.backend, backend);
    if (ends.client !== undefined) this.#closeClient(ends.client);
    if (this.#open.size === 0) this.#closed();
  }

  /** Bytes that are not sent yet are lost. */
  destroy(): void {
    for (const channel of [...this.#open]) channel.destroy();
  }

  #closeBackend(channel: BackendChannel, how: BackendClose): void {
    channel.handler = { ...NO_HANDLER, closed: () => this.#gone(channel) };
    if (how !== 'end') channel[how]();
    else {
      channel.end();
      channel.resume();
    }
  }

  /** Reads to the end: closing with unread input would make the kernel send a reset that overtakes the last reply. */
  #closeClient(channel: Channel): void {
    channel.handler = { ...NO_HANDLER, closed: () => this.#gone(channel) };
    channel.end();
    channel.resume();
  }

  #gone(channel: Channel): void {
    if (this.#open.delete(channel) && this.#open.size === 0) this.#closed();
  }
}
