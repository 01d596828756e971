/** A net.Socket, or Node's TLSSocket, as a channel. */
import type { ChildProcess, Serializable } from 'node:child_process';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { endpointOf, type Endpoint } from '../../net/endpoint.js';
import { NO_HANDLER, type BackendChannel, type ChannelHandler } from './channel.js';

/** Starts paused, with NO_HANDLER. */
export class SocketChannel implements BackendChannel {
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

  /** Undefined once the peer has gone, and of a Unix socket. */
  get remote(): Endpoint | undefined {
    return endpointOf(this.socket.remoteAddress, this.socket.remotePort);
  }

  get local(): Endpoint | undefined {
    return endpointOf(this.socket.localAddress, this.socket.localPort);
  }

  /**
   * Node defines getters on each TLSSocket, and V8 keeps them, with the closed socket, until the next full collection.
   * So the socket must not reference the objects of its connection.
   */
  #closed(): void {
    const { handler } = this;
    this.handler = NO_HANDLER;
    handler.closed(this.#error);
  }

  /** Puts bytes back, to be read again first. Only while paused. */
  unread(bytes: Buffer): void {
    this.socket.unshift(bytes);
  }

  /** Detaches the channel from its socket, which then belongs to the caller. */
  release(): Socket {
    this.#uncork();
    this.socket.pause();
    for (const [event, listener] of Object.entries(this.#listeners)) this.socket.off(event, listener);
    return this.socket;
  }

  /**
   * Passes the connection to another process.
   * @param message sent with it; `unread` has the bytes that were read here and passed to no handler
   * @param sent called once, with null if the other process has received it or will; not called if that process ended
   *   before
   * @returns a function that closes the connection if `sent` is not called
   */
  sendTo(
    child: ChildProcess,
    message: (unread: Buffer) => Serializable,
    sent: (error: Error | null) => void,
  ): () => void {
    const socket = this.release();
    const unread = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
    stopReading(socket);
    // Node does not close a socket that a crashing process did not acknowledge. With keepOpen, it is closed here.
    child.send(message(unread), socket, { keepOpen: true }, (error) => {
      socket.destroy();
      sent(error);
    });
    return () => socket.destroy();
  }

  /** All writes of one turn of the event loop use one system call, at the end of the turn. */
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

  /** If end() is called twice, Node creates an error with a stack, which takes time. */
  end(): void {
    if (!this.socket.writableEnded) this.socket.end();
  }

  destroy(): void {
    this.#uncork();
    this.socket.destroy();
  }

  /** With TLS, the peer misses close_notify; without, it gets RST. */
  reset(): void {
    this.#uncork();
    const { socket } = this;
    // There is no RST on a Unix socket, and Node throws; it has no remote address, nor has one whose peer has gone.
    if (socket instanceof TLSSocket || socket.remoteAddress === undefined) socket.destroy();
    else socket.resetAndDestroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}

/** One of the two is called, once, and never before `connectSocket` has returned. */
export interface ConnectHandler {
  readonly connected: (channel: SocketChannel) => void;
  readonly failed: (error: Error) => void;
}

/**
 * Linux refuses a connection to a Unix socket with a full backlog (EAGAIN), where one over TCP would wait. So it is tried
 * again until it is cancelled.
 * @returns a function that cancels the attempt if it is not finished
 */
export function connectSocket(address: NetConnectOpts, handler: ConnectHandler): () => void {
  const socket = connect({ ...address, ...TCP_OPTIONS });
  let cancel = (): void => {
    socket.off('error', failed).on('error', () => undefined);
    socket.destroy();
  };
  const failed = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EAGAIN' || !('path' in address)) handler.failed(error);
    else {
      const timer = setTimeout(() => (cancel = connectSocket(address, handler)), BACKLOG_RETRY_MS);
      cancel = () => clearTimeout(timer);
    }
  };
  socket.once('error', failed);
  socket.once('connect', () => {
    socket.off('error', failed);
    handler.connected(new SocketChannel(socket));
  });
  return () => cancel();
}

/** A paused socket still reads until its buffer is full; the other process would not get these bytes. */
function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: { readStop?: () => number } | null };
  handle?.readStop?.();
}

const BACKLOG_RETRY_MS = 50;
/** Idle time before the kernel sends the first keepalive probe. */
const KEEPALIVE_DELAY_MS = 60_000;

/** For every TCP connection, accepted or opened. Keepalive probes detect a peer that is lost without a FIN. */
export const TCP_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEPALIVE_DELAY_MS,
} as const;
