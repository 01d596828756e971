/** A net.Socket, or Node's TLSSocket, as a channel. */
import type { ChildProcess, Serializable } from 'node:child_process';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { stopReading } from './tcp-handles.js';
import { NO_HANDLER, type ChannelHandler, type ConnectHandler, type TcpChannel } from './channel.js';
import { endpointOf, type Endpoint } from '../../net/endpoint.js';

export class SocketChannel implements TcpChannel {
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

  get remote(): Endpoint | undefined {
    return endpointOf(this.socket.remoteAddress, this.socket.remotePort);
  }

  get local(): Endpoint | undefined {
    return endpointOf(this.socket.localAddress, this.socket.localPort);
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

  unread(bytes: Buffer): void {
    this.socket.unshift(bytes);
  }

  release(): Socket {
    this.#uncork();
    this.socket.pause();
    for (const [event, listener] of Object.entries(this.#listeners)) this.socket.off(event, listener);
    return this.socket;
  }

  sendTo(
    child: ChildProcess,
    message: (unread: Buffer) => Serializable,
    sent: (error: Error | null) => void,
  ): () => void {
    const socket = this.release();
    const unread = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
    // It reads ahead while it is paused, all the more once it was read.
    stopReading(socket);
    child.send(message(unread), socket, (error) => {
      // Else it is Node that closes it.
      if (error !== null) socket.destroy();
      sent(error);
    });
    return () => socket.destroy();
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

/** @returns a function that gives up on the attempt, if it still runs */
export function connectSocket(address: TcpNetConnectOpts, handler: ConnectHandler): () => void {
  const socket = connect({ ...address, allowHalfOpen: true, noDelay: true });
  socket.once('error', handler.failed);
  socket.once('connect', () => {
    socket.off('error', handler.failed);
    handler.connected(new SocketChannel(socket));
  });
  return () => {
    socket.off('error', handler.failed).on('error', () => undefined);
    socket.destroy();
  };
}
