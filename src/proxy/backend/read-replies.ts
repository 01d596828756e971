/** Replies of a backend in a session of oldhello itself, without a client. */
import { ReplyReader, type ReplyRead } from '../../smtp/reply.js';
import { NO_HANDLER } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';

export interface ReplyHandler {
  /** @param rest bytes that came with the reply, and are not part of it */
  reply(read: ReplyRead, rest: number): void;
  end(): void;
  closed(error: Error | undefined): void;
}

/**
 * Replaces the channel's handler; resume the channel to read. It takes one reply from a chunk, because a backend that gets
 * one command at a time sends one reply at a time.
 */
export function readReplies(channel: SocketChannel, handler: ReplyHandler): void {
  const replies = new ReplyReader();
  channel.handler = {
    ...NO_HANDLER,
    data: (bytes) => {
      replies.push(bytes);
      const read = replies.next();
      if (read !== undefined) handler.reply(read, replies.buffered);
    },
    end: () => handler.end(),
    closed: (error) => handler.closed(error),
  };
}
