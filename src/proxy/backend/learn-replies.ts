/** The rest of a health check: the backend's replies to EHLO, NOOP, RSET and QUIT. */
import type { HealthReplies } from '../../smtp/learnt-replies.js';
import { wholeReply, type Reply } from '../../smtp/reply.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { readReplies } from './read-replies.js';

/**
 * Takes over a channel on which the backend has greeted, and ends the session.
 * @param learnt called with what the backend replied, if it replied to everything
 */
export function learnReplies(
  channel: SocketChannel,
  greeting: Reply,
  hostname: string,
  learnt: (replies: HealthReplies) => void,
): void {
  const texts = [textOf(greeting)];
  const commands = [`EHLO ${hostname}`, 'NOOP', 'RSET', 'QUIT'];
  const timer = setTimeout(() => channel.destroy(), TIMEOUT_MS).unref();
  const next = (): void => {
    const command = commands.shift();
    if (command === undefined) channel.end();
    else channel.write(Buffer.from(`${command}\r\n`));
  };
  readReplies(channel, {
    reply: (read, rest) => {
      if ('violation' in read || rest > 0) {
        channel.destroy();
        return;
      }
      texts.push(textOf(read.reply));
      if (commands.length === 0) report(texts, learnt);
      next();
    },
    end: () => channel.destroy(),
    closed: () => clearTimeout(timer),
  });
  next();
  channel.resume();
}

function report(
  [greeting, ehlo, NOOP, RSET, QUIT]: readonly string[],
  learnt: (replies: HealthReplies) => void,
): void {
  learnt({ greeting: greeting!, ehlo: ehlo!, NOOP: NOOP!, RSET: RSET!, QUIT: QUIT! });
}

function textOf(reply: Reply): string {
  return wholeReply(reply).toString('latin1');
}

const TIMEOUT_MS = 20_000;
