/** A socket as a channel: what it writes at once, when it says that it is over, and what it leaves to others. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'tap';
import { NO_HANDLER, type ChannelHandler } from '../../../src/proxy/transport/channel.js';
import { SocketChannel } from '../../../src/proxy/transport/socket-channel.js';

/** The end of the socket that is not there: each system call, and what it would have written. */
class Wire extends Duplex {
  readonly calls: string[] = [];
  answer: (() => void) | undefined;

  override _read(): void {
    // Tests push.
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString());
    if (this.writableHighWaterMark > 8) done();
    else this.answer = done;
  }
}

interface Ends {
  readonly wire: Wire;
  readonly channel: SocketChannel;
  readonly seen: string[];
}

function open(highWaterMark = 1024): Ends {
  const wire = new Wire({ highWaterMark });
  const channel = new SocketChannel(wire as unknown as Socket);
  const seen: string[] = [];
  channel.handler = {
    data: (bytes) => seen.push(bytes.toString()),
    full: () => seen.push('full'),
    drain: () => seen.push('drain'),
    end: (orderly) => seen.push(`end ${orderly}`),
    closed: (error) => seen.push(`closed ${error?.message}`),
  } satisfies ChannelHandler;
  return { wire, channel, seen };
}

/** All that Node does by itself. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is written in one turn leaves in one call, and what is written in the next in another', async (t) => {
  const { wire, channel } = open();
  channel.write(Buffer.from('220 '));
  channel.write(Buffer.from('ready\r\n'));
  t.same(wire.calls, [], 'not yet');
  await turn();
  t.same(wire.calls, ['220 ready\r\n']);
  channel.write(Buffer.from('250 '));
  channel.write(Buffer.from('ok\r\n'));
  await turn();
  t.same(wire.calls, ['220 ready\r\n', '250 ok\r\n']);
});

test('what was written before the end still leaves, and nothing is written behind it', async (t) => {
  const { wire, channel } = open();
  channel.write(Buffer.from('221 bye\r\n'));
  channel.end();
  channel.end();
  channel.write(Buffer.from('more'));
  await turn();
  t.same(wire.calls, ['221 bye\r\n']);
  t.equal(wire.writableFinished, true);
  t.equal(wire.errored, null);
});

test('what was written before the socket is destroyed has been given to the system', async (t) => {
  const { wire, channel, seen } = open();
  channel.write(Buffer.from('421 going\r\n'));
  channel.destroy();
  t.same(wire.calls, ['421 going\r\n']);
  channel.write(Buffer.from('more'));
  await turn();
  t.same(wire.calls, ['421 going\r\n']);
  t.same(seen, ['closed undefined']);
});

test('a writer is notified when the turn is over that too much waits, and later that it has left', async (t) => {
  const { wire, channel, seen } = open(8);
  channel.write(Buffer.from('12345678'));
  t.same(seen, [], 'not in the middle of what it does');
  await turn();
  t.same(seen, ['full']);
  wire.answer?.();
  await turn();
  t.same(seen, ['full', 'drain']);
  channel.write(Buffer.from('1234567'));
  await turn();
  t.same(seen, ['full', 'drain'], 'a byte less is not too much');

  const failed = open(8);
  failed.channel.write(Buffer.from('12345678'));
  failed.wire.destroy(new Error('reset'));
  await turn();
  t.same(failed.seen, ['closed reset'], 'and nobody waits for what has failed');
});

test('what leaves at once is never too much, however much it is', async (t) => {
  const { channel, seen } = open(16);
  channel.write(Buffer.alloc(1000));
  await turn();
  t.notOk(seen.includes('full'));
});

test('nothing is read before resume(); the end and the close are each reported once, with the error', async (t) => {
  const { wire, channel, seen } = open();
  wire.push('EHLO');
  await turn();
  t.same(seen, [], 'it starts paused');
  channel.resume();
  await turn();
  channel.pause();
  wire.push('QUIT');
  await turn();
  t.same(seen, ['EHLO']);
  channel.resume();
  wire.push(null);
  await turn();
  wire.destroy(new Error('reset'));
  await turn();
  t.same(seen, ['EHLO', 'QUIT', 'end true', 'closed reset']);
  t.equal(channel.handler, NO_HANDLER, 'a socket that has closed holds nobody');
});

test('a socket that was released sends what was written, and its channel gets no more events', async (t) => {
  const { wire, channel, seen } = open(16);
  channel.write(Buffer.from('220 go ahead\r\n'));
  channel.resume();
  t.equal(channel.release(), wire);
  t.same(wire.calls, ['220 go ahead\r\n']);
  wire.cork();
  wire.write('a long server hello');
  wire.push('hello');
  await turn();
  t.equal(wire.calls.length, 1, 'and what its new owner corks stays corked');
  t.equal(wire.isPaused(), true);
  t.same(wire.read(), Buffer.from('hello'), 'which is for its new owner to read');
  wire.destroy();
  await turn();
  t.same(seen, []);
});
