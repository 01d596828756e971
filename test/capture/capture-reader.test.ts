/** The capture formats: cut anywhere, hostile, and bounded. */
import { test } from 'tap';
import { CaptureError } from '../../src/capture/capture-format.js';
import { CaptureReader } from '../../src/capture/capture-reader.js';
import { ipFinder } from '../../src/capture/link-layer.js';
import { TcpConnections, type Ending } from '../../src/capture/tcp-connections.js';
import { TcpStream } from '../../src/capture/tcp-stream.js';
import { conversation, ipv4, ipv6, LINKS, pcap, pcapng } from '../support/captures.js';

const PACKETS = ipv4(
  conversation([
    ['server', '220 mx\r\n'],
    ['client', `EHLO ${'x'.repeat(150)}\r\n`],
  ]),
);

function packetsOf(capture: Buffer, chunkLength: number): string[] {
  const found: string[] = [];
  const reader = new CaptureReader((linkType, timeMs, bytes) => {
    found.push(`${linkType} ${timeMs} ${bytes.toString('hex')}`);
  });
  for (let at = 0; at < capture.length; at += chunkLength) {
    // The reader may not keep a chunk: it is overwritten behind its back.
    const chunk = Buffer.from(capture.subarray(at, at + chunkLength));
    reader.push(chunk);
    chunk.fill(0xee);
  }
  reader.end();
  return found;
}

test('a capture may be cut anywhere', async (t) => {
  for (const capture of [pcap(PACKETS), pcapng(PACKETS), pcapng(PACKETS, { bigEndian: true })]) {
    const whole = packetsOf(capture, capture.length);
    t.equal(whole.length, PACKETS.length);
    for (const length of [1, 2, 7, 64, 1000])
      t.same(packetsOf(capture, length), whole, `${length} bytes at a time`);
  }
});

test('sections of pcapng may follow each other in different byte orders', async (t) => {
  const both = Buffer.concat([pcapng(PACKETS), pcapng(PACKETS, { bigEndian: true })]);
  const found = packetsOf(both, 100);
  t.equal(found.length, 2 * PACKETS.length);
  t.same(found.slice(PACKETS.length), found.slice(0, PACKETS.length));
});

test('a length that no packet or block has is an error, not an allocation', async (t) => {
  const large = pcap(PACKETS);
  large.writeUInt32LE(0x7fff_ffff, 24 + 8);
  t.throws(() => packetsOf(large, 100), { message: 'a packet of 2147483647 bytes cannot be, at byte 24' });
  const block = pcapng(PACKETS);
  block.writeUInt32LE(0x7fff_fffc, 4);
  t.throws(() => packetsOf(block, 100), { message: 'a block of 2147483644 bytes cannot be' });
});

test('a packet with a time that no date has is an error', async (t) => {
  const late = pcapng(PACKETS);
  // The last block is that of a packet; the upper half of its time follows its type, length and interface.
  const lastBlock = late.length - late.readUInt32LE(late.length - 4);
  late.writeUInt32LE(0xffff_ffff, lastBlock + 12);
  t.throws(() => packetsOf(late, 100), { message: 'a packet has no possible time' });
});

test('damaged captures and packets end in a CaptureError or in nothing', async (t) => {
  const random = (seed: number): (() => number) => {
    let state = seed;
    return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  };
  let damaged = 0;
  for (let round = 0; round < 3000; round++) {
    const next = random(round + 1);
    const [linkType, frame] = Object.values(LINKS)[round % Object.keys(LINKS).length]!;
    const packets = round % 2 === 0 ? PACKETS : ipv6(conversation([['client', 'EHLO a\r\n']]));
    const capture = (round % 3 === 0 ? pcapng : pcap)(packets.map(frame), { linkType });
    for (let change = 0; change < 4; change++)
      capture[Math.floor(next() * capture.length)] = Math.floor(next() * 256);
    const connections = new TcpConnections(() => ({
      fromClient: { receive: () => undefined, gap: () => undefined },
      fromServer: { receive: () => undefined, gap: () => undefined },
      isDone: false,
      end: () => undefined,
    }));
    const reader = new CaptureReader((type, timeMs, bytes) => {
      const at = ipFinder(type)?.(bytes);
      if (at !== undefined) connections.push(timeMs, bytes.subarray(at));
    });
    try {
      reader.push(capture);
      reader.end();
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      damaged += 1;
    }
    connections.end();
  }
  t.ok(damaged > 100, `${damaged} of 3000 were seen to be damaged`);
});

test('a stream keeps no more than its bound beyond a hole, and then reports missing bytes', async (t) => {
  let gaps = 0;
  let received = 0;
  const stream = new TcpStream({ receive: ({ length }) => (received += length), gap: () => (gaps += 1) });
  stream.begin(99);
  let most = 0;
  for (let at = 0; at < 1000; at++) {
    stream.push(200 + at * 1000, Buffer.alloc(1000), 0);
    most = Math.max(most, stream.pendingLength);
  }
  t.equal(received, 0);
  t.equal(gaps, 1);
  t.ok(most <= 64 * 1024, `${most} bytes were kept`);
  t.equal(stream.pendingLength, 0);
});

test('a stream keeps no more than 256 segments beyond a hole, and puts them in order', async (t) => {
  let gaps = 0;
  let text = '';
  const reader = { receive: (bytes: Buffer) => (text += bytes.toString()), gap: () => (gaps += 1) };
  const byte = (sequence: number): Buffer => Buffer.of(0x41 + (sequence % 26));
  const stream = new TcpStream(reader);
  stream.begin(99);
  for (let ahead = 256; ahead >= 1; ahead--) stream.push(100 + ahead, byte(ahead), 0);
  t.equal(stream.pendingLength, 256);
  stream.push(100, byte(0), 0);
  t.equal(text, Array.from({ length: 257 }, (_, at) => byte(at).toString()).join(''));
  t.equal(gaps, 0);
  for (let ahead = 1; ahead <= 257; ahead++) stream.push(400 + ahead, byte(0), 0);
  t.equal(gaps, 1);
  t.equal(stream.pendingLength, 0);
});

test('beyond as many connections as may be followed, the oldest is ended', async (t) => {
  const endings: Ending[] = [];
  const connections = new TcpConnections(
    () => ({
      fromClient: { receive: () => undefined, gap: () => undefined },
      fromServer: { receive: () => undefined, gap: () => undefined },
      isDone: false,
      end: (how) => endings.push(how),
    }),
    10,
  );
  const begun = conversation([['client', 'EHLO a.example\r\n']]).slice(0, 3);
  for (let port = 1; port <= 100; port++) {
    for (const packet of ipv4(begun, { port })) t.ok(connections.push(0, packet));
  }
  t.equal(endings.length, 90);
  connections.end();
  t.same(
    endings,
    Array.from({ length: 100 }, () => 'capture_ended'),
  );
});
