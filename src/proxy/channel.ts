/**
 * A full-duplex byte channel with one handler at a time. The plain socket, our engine and Node's TLS all show this
 * face, so that what speaks SMTP does not know which of them carries it, and handing a connection from one phase to the
 * next is one assignment.
 */
import type { Socket } from 'node:net';

export interface ChannelHandler {
  /** The callee may keep `bytes`. */
  data(bytes: Buffer): void;
  /** More waits for the peer than a connection may keep: hold back whoever it comes from. */
  full(): void;
  /** It has left; go on. */
  drain(): void;
  /** The peer sends nothing more, but may still read. `orderly` is false where TLS was cut without close_notify. */
  end(orderly: boolean): void;
  /** The last call, exactly once. */
  closed(error: Error | undefined): void;
}

export interface Channel {
  handler: ChannelHandler;
  /** Whether it leaves is known when the turn is over: see `full`. */
  write(bytes: Uint8Array): void;
  /** Sends nothing more; what was written still leaves. */
  end(): void;
  destroy(): void;
  pause(): void;
  resume(): void;
}

/** Ignores everything; what a channel has before and after its time. */
export const NO_HANDLER: ChannelHandler = {
  data: () => undefined,
  full: () => undefined,
  drain: () => undefined,
  end: () => undefined,
  closed: () => undefined,
};

/** A net.Socket, or Node's TLSSocket, as a Channel. Starts paused. */
export class SocketChannel implements Channel {
  handler: ChannelHandler = NO_HANDLER;
  readonly socket: Socket;
  #error: Error | undefined;
  #corked = false;
  readonly #listeners = {
    data: (bytes: Buffer): void => this.handler.data(bytes),
    drain: (): void => this.handler.drain(),
    end: (): void => this.handler.end(true),
    error: (error: Error): void => {
      this.#error = error;
    },
    close: (): void => this.#closed(),
  };

  constructor(socket: Socket) {
    this.socket = socket;
    socket.pause();
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  /**
   * Node gives each TLSSocket getters of its own, which V8 keeps until the next full collection, and the closed socket
   * with them: it must not lead to all that the connection was.
   */
  #closed(): void {
    const { handler } = this;
    this.handler = NO_HANDLER;
    handler.closed(this.#error);
  }

  /** Lets go of the socket, which then belongs to the caller. */
  release(): Socket {
    this.#uncork();
    this.socket.pause();
    for (const [event, listener] of Object.entries(this.#listeners)) this.socket.off(event, listener);
    return this.socket;
  }

  /** What is written in one turn of the event loop leaves in one system call, when the turn is over. */
  write(bytes: Uint8Array): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    if (!this.#corked) {
      this.#corked = true;
      this.socket.cork();
      process.nextTick(this.#flush);
    }
    this.socket.write(bytes);
  }

  readonly #flush = (): void => {
    if (!this.#corked) return;
    this.#uncork();
    const { destroyed, writableLength, writableHighWaterMark } = this.socket;
    if (!destroyed && writableLength >= writableHighWaterMark) this.handler.full();
  };

  #uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.socket.uncork();
  }

  /** A second time would make Node build an error, stack and all, for nobody. */
  end(): void {
    if (!this.socket.writableEnded) this.socket.end();
  }

  destroy(): void {
    this.#uncork();
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}
