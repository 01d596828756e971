/** How a backend of any protocol begins, if it does before its client. */
import { NO_HANDLER } from '../proxy/transport/channel.js';
import type { SocketChannel } from '../proxy/transport/socket-channel.js';

/** @returns the beginning of the first line, `silence`, or `closed`; the connection is over then */
export function firstLine(channel: SocketChannel): Promise<string> {
  return new Promise((resolve) => {
    const end = (first: string): void => {
      clearTimeout(timer);
      channel.handler = NO_HANDLER;
      channel.destroy();
      resolve(first);
    };
    const timer = setTimeout(() => end('silence'), SILENCE_MS);
    channel.handler = {
      ...NO_HANDLER,
      data: (bytes) =>
        end(
          bytes
            .subarray(0, MAX_QUOTED_BYTES)
            .toString('latin1')
            .split(/[\r\n]/, 1)[0]!,
        ),
      end: () => end('closed'),
      closed: () => end('closed'),
    };
    channel.resume();
  });
}

/** For a backend to send something, or to close. */
const SILENCE_MS = 2_000;
const MAX_QUOTED_BYTES = 60;
