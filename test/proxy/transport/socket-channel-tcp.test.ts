/** Sockets as channels, over real TCP connections. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, Socket, type AddressInfo } from 'node:net';
import { setDefaultHighWaterMark } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { test } from 'tap';
import { NO_HANDLER, type ChannelHandler } from '../../../src/proxy/transport/channel.js';
import { connectSocket, SocketChannel, TCP_OPTIONS } from '../../../src/proxy/transport/socket-channel.js';
import { makeCertificate } from '../../support/certificate.js';

/** Records the calls of a channel, in order. */
class RecordingHandler implements ChannelHandler {
  readonly entries: string[] = [];
  bytes = 0;
  fullCalls = 0;
  readonly #channel: SocketChannel;
  #came: () => void = () => undefined;

  constructor(channel: SocketChannel) {
    this.#channel = channel;
    channel.handler = this;
  }

  data(bytes: Buffer): void {
    this.bytes += bytes.length;
    this.#add(bytes.length > 100 ? 'much' : bytes.toString('latin1'));
  }

  /** Called again whenever more is written. */
  full(): void {
    this.fullCalls += 1;
    if (this.entries.at(-1) !== 'full') this.#add('full');
  }

  /** May be called without need. */
  drain(): void {
    if (this.entries.includes('full')) this.#add('drain');
  }

  end(orderly: boolean): void {
    this.#add(`end ${orderly}`);
  }

  closed(error: (Error & { code?: string }) | undefined): void {
    this.#add(`closed ${error?.code}`);
  }

  async until(entry: string): Promise<void> {
    while (!this.entries.includes(entry)) {
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
  }

  async untilBytes(bytes: number): Promise<void> {
    while (this.bytes < bytes) {
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
  }

  #add(entry: string): void {
    if (entry !== 'much' || this.entries.at(-1) !== 'much') this.entries.push(entry);
    this.#came();
  }

  get channel(): SocketChannel {
    return this.#channel;
  }
}

interface Ends {
  readonly peer: Socket;
  readonly channel: SocketChannel;
  readonly recorder: RecordingHandler;
}

const server = createServer({ ...TCP_OPTIONS, pauseOnConnect: true });
const peers: Socket[] = [];
let arrived: (channel: SocketChannel) => void = () => undefined;

const ends = async (): Promise<Ends> => {
  const { port } = server.address() as AddressInfo;
  const come = new Promise<SocketChannel>((resolve) => {
    arrived = resolve;
  });
  const peer = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  peer.on('error', () => undefined);
  peers.push(peer);
  const [channel] = await Promise.all([come, once(peer, 'connect')]);
  return { peer, channel, recorder: new RecordingHandler(channel) };
};

test('a TCP connection as a channel', async (t) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('connection', (socket) => arrived(new SocketChannel(socket)));
  t.teardown(() => {
    server.close();
    for (const peer of peers) peer.destroy();
  });

  await t.test('both ends have their addresses, and nothing is read before resume()', async (t) => {
    const { peer, channel, recorder } = await ends();
    t.same(channel.remote, { address: '127.0.0.1', port: peer.localPort });
    t.same(channel.local, { address: '127.0.0.1', port: peer.remotePort });
    peer.write('EHLO');
    const other = await ends();
    t.same(recorder.entries, []);
    channel.resume();
    channel.resume();
    await recorder.until('EHLO');
    channel.pause();
    peer.write('RSET');
    other.peer.end('QUIT');
    other.channel.resume();
    await other.recorder.until('end true');
    t.same(other.recorder.entries, ['QUIT', 'end true']);
    t.same(recorder.entries, ['EHLO']);
    channel.resume();
    await recorder.until('RSET');
    for (const one of [channel, other.channel]) one.destroy();
    await recorder.until('closed undefined');
    t.equal(channel.handler, NO_HANDLER, 'a connection that has closed holds nobody');
  });

  await t.test('one direction ends before the other, and then the connection ends', async (t) => {
    const { peer, channel, recorder } = await ends();
    channel.write(Buffer.from('221 '));
    channel.write(Buffer.from('bye\r\n'));
    channel.end();
    channel.end();
    channel.write(Buffer.from('more'));
    const [goodbye] = (await once(peer, 'data')) as [Buffer];
    t.equal(goodbye.toString(), '221 bye\r\n');
    await once(peer, 'end');
    channel.resume();
    peer.end('thanks');
    await recorder.until('closed undefined');
    t.same(recorder.entries, ['thanks', 'end true', 'closed undefined']);

    const second = await ends();
    second.channel.resume();
    second.peer.end();
    await second.recorder.until('end true');
    second.channel.write(Buffer.from('221 bye\r\n'));
    second.channel.end();
    const [late] = (await once(second.peer, 'data')) as [Buffer];
    t.equal(late.toString(), '221 bye\r\n');
    await second.recorder.until('closed undefined');
    second.channel.destroy();
    second.channel.resume();
    t.same(second.recorder.entries, ['end true', 'closed undefined']);
  });

  await t.test('what was written before it is destroyed has been given to the system', async (t) => {
    const { peer, channel, recorder } = await ends();
    channel.write(Buffer.from('421 going\r\n'));
    channel.destroy();
    channel.destroy();
    channel.write(Buffer.from('more'));
    channel.end();
    channel.pause();
    const [last] = (await once(peer, 'data')) as [Buffer];
    t.equal(last.toString(), '421 going\r\n');
    await recorder.until('closed undefined');
    t.same(recorder.entries, ['closed undefined']);
    peer.destroy();
  });

  await t.test('a reset by the peer is reported with its code', async (t) => {
    const { peer, channel, recorder } = await ends();
    channel.resume();
    peer.resetAndDestroy();
    await recorder.until('closed ECONNRESET');
    t.same(recorder.entries, ['closed ECONNRESET']);

    const writing = await ends();
    writing.peer.resetAndDestroy();
    while (!writing.recorder.entries.some((entry) => entry.startsWith('closed'))) {
      writing.channel.write(Buffer.from('250 ok\r\n'));
      await new Promise(setImmediate);
    }
    t.match(writing.recorder.entries, [/^closed (?:EPIPE|ECONNRESET)$/]);
  });

  await t.test('a writer is notified of full and drain, and all of it arrives', async (t) => {
    setDefaultHighWaterMark(false, 16_384);
    const { peer, channel, recorder } = await ends();
    peer.pause();
    const piece = Buffer.alloc(100_000, 'x');
    let written = 0;
    while (!recorder.entries.includes('full')) {
      channel.write(piece);
      channel.write(piece.subarray(0, 1));
      written += piece.length + 1;
      await new Promise(setImmediate);
    }
    const { fullCalls: timesFull } = recorder;
    channel.write(piece);
    written += piece.length;
    await new Promise(setImmediate);
    t.equal(recorder.fullCalls, timesFull + 1);
    t.same(recorder.entries, ['full']);
    let received = 0;
    peer.on('data', (bytes) => {
      received += bytes.length;
    });
    peer.resume();
    await recorder.until('drain');
    channel.end();
    await once(peer, 'end');
    t.equal(received, written);
    t.same(recorder.entries, ['full', 'drain']);
    peer.end();
    channel.resume();
    await recorder.until('closed undefined');
  });

  await t.test('the end waits for what the peer has not read', async (t) => {
    const { peer, channel, recorder } = await ends();
    peer.pause();
    channel.resume();
    const much = Buffer.alloc(20_000_000, 'x');
    channel.write(much);
    peer.end();
    await recorder.until('end true');
    channel.end();
    await new Promise(setImmediate);
    t.notOk(recorder.entries.includes('closed undefined'));
    let received = 0;
    peer.on('data', (bytes) => {
      received += bytes.length;
    });
    peer.resume();
    await recorder.until('closed undefined');
    await once(peer, 'end');
    t.equal(received, much.length);
  });

  await t.test('what comes is the receiver’s to keep, however much comes and in what pieces', async (t) => {
    const all = [await ends(), await ends(), await ends()];
    const size = 3_000_000;
    const sent = Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
    const kept = all.map(({ channel, recorder }) => {
      const pieces: Buffer[] = [];
      channel.handler = {
        ...NO_HANDLER,
        data: (bytes) => {
          pieces.push(bytes);
          recorder.data(bytes);
        },
      };
      channel.resume();
      return pieces;
    });
    for (let at = 0, step = 1; at < size; at += step, step = (step * 7 + 13) % 150_000) {
      for (const { peer } of all) peer.write(sent.subarray(at, Math.min(size, at + step)));
      if (at % 5 === 0) await new Promise(setImmediate);
    }
    for (const [index, { recorder, channel }] of all.entries()) {
      await recorder.untilBytes(size);
      t.ok(Buffer.concat(kept[index]!).equals(sent));
      channel.destroy();
    }
  });

  await t.test('a handler may change its mind, put back what it got, and give up', async (t) => {
    const { peer, channel, recorder } = await ends();
    channel.handler = {
      ...NO_HANDLER,
      data: (bytes) => {
        channel.pause();
        channel.unread(bytes);
        channel.handler = recorder;
        channel.resume();
      },
    };
    channel.resume();
    peer.write('first');
    await recorder.until('first');
    peer.write('second');
    await recorder.until('second');
    const gone = once(peer, 'end');
    channel.handler = {
      ...NO_HANDLER,
      data: () => {
        channel.pause();
        channel.destroy();
      },
    };
    peer.resume();
    peer.write('third');
    await gone;
    t.same(recorder.entries, ['first', 'second']);
  });

  await t.test('a handler that pauses gets nothing more, also of what was put back', async (t) => {
    const { peer, channel, recorder } = await ends();
    channel.unread(Buffer.from('first'));
    peer.write('second');
    channel.handler = {
      ...NO_HANDLER,
      data: (bytes) => {
        recorder.data(bytes);
        channel.pause();
      },
    };
    channel.resume();
    t.same(recorder.entries, [], 'not while the caller does what it does');
    await recorder.until('first');
    await ends();
    t.same(recorder.entries, ['first']);
    channel.resume();
    await recorder.until('second');
    t.same(recorder.entries, ['first', 'second']);
    peer.write('later');
    // Written before, so that the kernel has it before the turns of another connection are over.
    await ends();
    await ends();
    t.same(recorder.entries, ['first', 'second'], 'what comes after the one who pauses it waits too');
    channel.handler = recorder;
    channel.resume();
    await recorder.until('later');
    channel.pause();
    recorder.entries.length = 2;
    channel.unread(Buffer.from('third'));
    channel.resume();
    channel.pause();
    await new Promise(setImmediate);
    t.same(recorder.entries, ['first', 'second']);
    channel.destroy();
  });

  await t.test('Node’s TLS takes it over, with what was read already', async (t) => {
    const { chainPem, keyPem } = makeCertificate('mx.example', [-1, 90]);
    const { peer, channel, recorder } = await ends();
    const client = connectTls({ socket: peer, rejectUnauthorized: false });
    const first: Buffer = await new Promise((resolve) => {
      channel.handler = { ...NO_HANDLER, data: resolve };
      channel.resume();
    });
    channel.pause();
    channel.unread(first);
    const tls = new TLSSocket(channel.release(), { isServer: true, cert: chainPem, key: keyPem });
    const secured = new RecordingHandler(new SocketChannel(tls));
    secured.channel.resume();
    client.write('EHLO');
    await secured.until('EHLO');
    secured.channel.write(Buffer.from('250 ok\r\n'));
    const [reply] = (await once(client, 'data')) as [Buffer];
    t.equal(reply.toString(), '250 ok\r\n');
    client.end();
    await secured.until('end true');
    secured.channel.end();
    await secured.until('closed undefined');
    t.same(recorder.entries, [], 'and tells the channel nothing');

    const late = await ends();
    late.channel.destroy();
    t.equal(late.channel.release().destroyed, true, 'what has gone cannot be taken over');
  });

  await t.test('another process gets the connection with the message about it', async (t) => {
    const child = fork(new URL('../../support/channel-child.js', import.meta.url), { stdio: 'inherit' });
    t.teardown(() => child.kill());
    for (const word of ['one', 'two', 'three']) {
      const { peer, channel, recorder } = await ends();
      const sent = await new Promise((resolve) => channel.sendTo(child, () => ({ word }), resolve));
      t.equal(sent, null);
      peer.end('EHLO');
      let heard = '';
      for await (const bytes of peer) heard += String(bytes);
      t.equal(heard, `${word} EHLO`, 'and the connection ends when that process ends it');
      t.same(recorder.entries, []);
    }
    child.kill();
    await once(child, 'exit');
    const { peer, channel } = await ends();
    const error = await new Promise((resolve) => channel.sendTo(child, () => ({}), resolve));
    t.match(error, { code: 'ERR_IPC_CHANNEL_CLOSED' });
    peer.resume();
    await once(peer, 'end');
  });

  await t.test(
    'what was read and passed to nobody goes along, and what was not sent is taken back',
    async (t) => {
      const { peer, channel, recorder } = await ends();
      channel.resume();
      peer.write('header');
      await recorder.until('header');
      channel.pause();
      channel.handler = NO_HANDLER;
      channel.unread(Buffer.from('EHLO'));
      let went: Buffer | undefined;
      const neverSends = { send: () => true } as unknown as ChildProcess;
      const withdraw = channel.sendTo(
        neverSends,
        (unread) => ({ unread: (went = unread) }),
        () => t.fail(),
      );
      t.equal(String(went), 'EHLO');
      withdraw();
      peer.resume();
      await once(peer, 'end');
    },
  );

  await t.test('what comes while a channel is paused goes to the other process too', async (t) => {
    const child = fork(new URL('../../support/channel-child.js', import.meta.url), { stdio: 'inherit' });
    t.teardown(() => child.kill());
    const { peer, channel, recorder } = await ends();
    channel.resume();
    peer.write('header');
    await recorder.until('header');
    channel.pause();
    peer.write('EHLO');
    // A socket would have read it by now, which no event tells.
    await pause(50);
    const sent = await new Promise((resolve) =>
      channel.sendTo(child, (unread) => ({ word: unread.toString() }), resolve),
    );
    t.equal(sent, null);
    peer.end('!');
    let heard = '';
    for await (const bytes of peer) heard += String(bytes);
    t.match(heard, 'EHLO');
    t.same(recorder.entries, ['header']);
  });

  await t.test('a connection is made, or fails with a reason, or is cancelled', async (t) => {
    const { port } = server.address() as AddressInfo;
    arrived = (channel) => {
      channel.write(Buffer.from('220 ready\r\n'));
      channel.end();
    };
    const channel = await new Promise<SocketChannel>((connected, failed) =>
      connectSocket({ host: '127.0.0.1', port }, { connected, failed }),
    );
    t.equal(channel.remote?.port, port);
    const recorder = new RecordingHandler(channel);
    channel.resume();
    await recorder.until('end true');
    t.same(recorder.entries, ['220 ready\r\n', 'end true']);
    channel.destroy();

    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port: closed } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const refusedBy = (host: string): Promise<Error> =>
      new Promise((failed, connected) => connectSocket({ host, port: closed }, { connected, failed }));
    for (const host of ['127.0.0.1', '::1']) {
      t.match(await refusedBy(host), {
        code: 'ECONNREFUSED',
        message: `connect ECONNREFUSED ${host}:${closed}`,
      });
    }
    t.match(await refusedBy('255.255.255.255'), {
      code: /^E/,
      message: /^connect E\w+ 255\.255\.255\.255:/,
    });

    const given = new Promise<string>((resolve) => {
      const giveUp = connectSocket(
        { host: '127.0.0.1', port },
        {
          connected: () => resolve('connected'),
          failed: () => resolve('failed'),
        },
      );
      giveUp();
      giveUp();
      arrived = () => undefined;
      void ends().then(() => resolve('nothing'));
    });
    t.equal(await given, 'nothing');
  });
});
