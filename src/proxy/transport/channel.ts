/**
 * A full-duplex byte channel with one handler at a time. TCP, our engine and Node's TLS all show this face, so that what
 * speaks SMTP does not know which of them carries it, and handing a connection from one phase to the next is one
 * assignment.
 */
import type { ChildProcess, Serializable } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Endpoint } from '../../net/endpoint.js';

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

/** A channel without TLS of ours in it. Starts paused, with NO_HANDLER. */
export interface TcpChannel extends Channel {
  /** May be undefined once the peer has gone. */
  readonly remote: Endpoint | undefined;
  readonly local: Endpoint | undefined;
  /** To be read again, before what has not been read yet. Only while paused. */
  unread(bytes: Buffer): void;
  /** Lets go of the connection, which then belongs to whoever puts Node's TLS on it. */
  release(): Socket;
  /**
   * Gives the connection to another process.
   * @param message goes with it; `unread` is what was read here and has been passed to no handler
   * @param sent called once, with null where the other process has got it, or will; never, where that process has ended
   *   before it came to that
   * @returns a function that closes the connection in the latter case
   */
  sendTo(
    child: ChildProcess,
    message: (unread: Buffer) => Serializable,
    sent: (error: Error | null) => void,
  ): () => void;
}

/** How an attempt to connect ended: one of the two is called, once, and never before the attempt can be given up. */
export interface ConnectHandler {
  readonly connected: (channel: TcpChannel) => void;
  readonly failed: (error: Error) => void;
}

/** Ignores everything; what a channel has before and after its time. */
export const NO_HANDLER: ChannelHandler = {
  data: () => undefined,
  full: () => undefined,
  drain: () => undefined,
  end: () => undefined,
  closed: () => undefined,
};
