/**
 * A full-duplex byte channel with one handler at a time. TCP, our engine and Node's TLS all show this face, so that code
 * that relays SMTP does not depend on which of them carries it, and the next phase of a connection takes over by one
 * assignment.
 */

export interface ChannelHandler {
  /** The callee may keep `bytes`. */
  data(bytes: Buffer): void;
  /** More waits for the peer than a connection may keep: stop reading from the source of these bytes. */
  full(): void;
  /** What was waiting has left. */
  drain(): void;
  /** The peer sends nothing more, but may still read. `orderly` is false where TLS was cut without close_notify. */
  end(orderly: boolean): void;
  /** The last call, exactly once. */
  closed(error: Error | undefined): void;
}

export interface Channel {
  handler: ChannelHandler;
  /** Bytes of one turn of the event loop leave together, when the turn is over; `full` may follow then. */
  write(bytes: Uint8Array): void;
  /** Sends nothing more; what was written still leaves, and how long that may take is for the caller to limit. */
  end(): void;
  destroy(): void;
  /** Nothing more comes until `resume`, except what was read already, if the peer has ended its side behind it. */
  pause(): void;
  resume(): void;
}

export interface BackendChannel extends Channel {
  /** Like `destroy`, and the peer cannot take it for an orderly end. */
  reset(): void;
}

/** Ignores everything; the handler of a channel before and after its use. */
export const NO_HANDLER: ChannelHandler = {
  data: () => undefined,
  full: () => undefined,
  drain: () => undefined,
  end: () => undefined,
  closed: () => undefined,
};
