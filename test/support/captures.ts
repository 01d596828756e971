/** Captures made by hand: TCP conversations as packets, for any kind of link, in any format. */

export interface Segment {
  readonly fromClient: boolean;
  readonly sequence: number;
  readonly flags: number;
  readonly payload: Buffer;
}

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

const CLIENT_START = 0xffff_fff0;
const SERVER_START = 7_000;

/** A connection from SYN to FIN; the client's sequence numbers wrap around on the way. */
export function conversation(turns: readonly (readonly ['client' | 'server', Buffer | string])[]): Segment[] {
  const next = { client: CLIENT_START + 1, server: SERVER_START + 1 };
  const segment = (from: 'client' | 'server', flags: number, payload: Buffer): Segment => ({
    fromClient: from === 'client',
    sequence: next[from] >>> 0,
    flags,
    payload,
  });
  const segments: Segment[] = [
    { fromClient: true, sequence: CLIENT_START, flags: SYN, payload: Buffer.alloc(0) },
    { fromClient: false, sequence: SERVER_START, flags: SYN | ACK, payload: Buffer.alloc(0) },
  ];
  for (const [from, data] of turns) {
    const payload = Buffer.from(data);
    for (let at = 0; at < payload.length; at += MAX_SEGMENT) {
      const part = payload.subarray(at, at + MAX_SEGMENT);
      segments.push(segment(from, ACK, part));
      next[from] += part.length;
    }
  }
  return [
    ...segments,
    segment('client', FIN | ACK, Buffer.alloc(0)),
    segment('server', FIN | ACK, Buffer.alloc(0)),
  ];
}

const MAX_SEGMENT = 100;

/** One conversation's segments as IP packets. */
export function ipv4(
  segments: readonly Segment[],
  { client = '192.0.2.9', port = 40_000, serverPort = 25 } = {},
): Buffer[] {
  const bytesOf = (address: string): Buffer => Buffer.from(address.split('.').map(Number));
  return segments.map((segment) => {
    const tcp = tcpHeader(segment, port, serverPort);
    const header = Buffer.alloc(20);
    header[0] = 0x45;
    header.writeUInt16BE(20 + tcp.length, 2);
    header[9] = 6;
    const [from, to] = ends(segment, bytesOf(client), bytesOf('198.51.100.1'));
    return Buffer.concat([header.subarray(0, 12), from, to, tcp]);
  });
}

/** With a hop-by-hop header in front of TCP. */
export function ipv6(segments: readonly Segment[]): Buffer[] {
  const client = Buffer.from('20010db8000000000000000000000009', 'hex');
  const server = Buffer.from('20010db8000000000000000000000001', 'hex');
  return segments.map((segment) => {
    const tcp = tcpHeader(segment, 40_000, 25);
    const header = Buffer.from('6000000000000040', 'hex');
    header.writeUInt16BE(8 + tcp.length, 4);
    header[6] = 0;
    return Buffer.concat([
      header,
      ...ends(segment, client, server),
      Buffer.from('0600010400000000', 'hex'),
      tcp,
    ]);
  });
}

function ends({ fromClient }: Segment, client: Buffer, server: Buffer): [Buffer, Buffer] {
  return fromClient ? [client, server] : [server, client];
}

function tcpHeader(
  { fromClient, sequence, flags, payload }: Segment,
  port: number,
  serverPort: number,
): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt16BE(fromClient ? port : serverPort, 0);
  header.writeUInt16BE(fromClient ? serverPort : port, 2);
  header.writeUInt32BE(sequence, 4);
  // One option, so that the header is longer than the least.
  header[12] = 6 << 4;
  header[13] = flags;
  return Buffer.concat([header, payload]);
}

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const typeOf = (packet: Buffer): Buffer => hex(packet[0]! >> 4 === 4 ? '0800' : '86dd');
const MACS = hex('020000000001 020000000002');

/** Frames of every kind of link that can be read: by name, the link type and what stands before the packet. */
export const LINKS: Readonly<Record<string, readonly [number, (packet: Buffer) => Buffer]>> = {
  Ethernet: [1, (packet) => Buffer.concat([MACS, typeOf(packet), packet])],
  'Ethernet with a VLAN tag': [
    1,
    (packet) => Buffer.concat([MACS, hex('8100 0005'), typeOf(packet), packet]),
  ],
  'Ethernet with two VLAN tags': [
    1,
    (packet) => Buffer.concat([MACS, hex('88a8 0005 8100 0006'), typeOf(packet), packet]),
  ],
  PPPoE: [
    1,
    (packet) => {
      const protocol = hex(packet[0]! >> 4 === 4 ? '0021' : '0057');
      return Buffer.concat([MACS, hex('8864 1100 0001 0000'), protocol, packet]);
    },
  ],
  'Linux cooked capture': [
    113,
    (packet) => Buffer.concat([hex('0000 0001 0006 020000000001 0000'), typeOf(packet), packet]),
  ],
  'Linux cooked capture with a VLAN tag': [
    113,
    (packet) => Buffer.concat([hex('0000 0001 0006 020000000001 0000 8100 0005'), typeOf(packet), packet]),
  ],
  'Linux cooked capture 2': [
    276,
    (packet) => Buffer.concat([typeOf(packet), hex('0000 00000002 0001 00 06 0200000000010000'), packet]),
  ],
  'BSD loopback': [
    0,
    (packet) => Buffer.concat([hex(packet[0]! >> 4 === 4 ? '02000000' : '1e000000'), packet]),
  ],
  'OpenBSD loopback': [
    108,
    (packet) => Buffer.concat([hex(packet[0]! >> 4 === 4 ? '00000002' : '00000018'), packet]),
  ],
  'raw IP': [101, (packet) => packet],
};

export interface CaptureOptions {
  readonly linkType?: number;
  readonly bigEndian?: boolean;
  readonly nanoseconds?: boolean;
  /** Unix time of the first packet. */
  readonly seconds?: number;
}

/** Packets are a second apart. */
export function pcap(
  frames: readonly Buffer[],
  { linkType = 101, bigEndian = false, nanoseconds = false, seconds = START_SECONDS }: CaptureOptions = {},
): Buffer {
  const words = (...values: number[]): Buffer => uint32s(values, bigEndian);
  const header = words(
    nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4,
    bigEndian ? 0x0002_0004 : 0x0004_0002,
    0,
    0,
    262_144,
    linkType,
  );
  return Buffer.concat([
    header,
    ...frames.flatMap((frame, index) => [words(seconds + index, 0, frame.length, frame.length), frame]),
  ]);
}

export function pcapng(
  frames: readonly Buffer[],
  { linkType = 101, bigEndian = false, nanoseconds = false, seconds = START_SECONDS }: CaptureOptions = {},
): Buffer {
  const words = (...values: number[]): Buffer => uint32s(values, bigEndian);
  const block = (type: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
    const length = words(padded.length + 12);
    return Buffer.concat([words(type), length, padded, length]);
  };
  const version = bigEndian ? words(0x0001_0000) : words(0x0000_0001);
  const resolution = nanoseconds ? [hex(bigEndian ? '0009 0001 09000000' : '0900 0100 09000000')] : [];
  const unit = nanoseconds ? 1_000_000_000n : 1_000_000n;
  return Buffer.concat([
    block(0x0a0d0d0a, words(0x1a2b3c4d), version, words(0xffff_ffff, 0xffff_ffff)),
    // Of another kind, so that packets must be told apart by their interface.
    block(1, bigEndian ? hex('0093 0000') : hex('9300 0000'), words(0)),
    block(
      1,
      bigEndian ? hex(`${linkType.toString(16).padStart(4, '0')}0000`) : words(linkType),
      words(0),
      ...resolution,
    ),
    ...frames.map((frame, index) => {
      const time = BigInt(seconds + index) * unit;
      return block(
        6,
        words(1, Number(time >> 32n), Number(time & 0xffff_ffffn), frame.length, frame.length),
        frame,
      );
    }),
  ]);
}

function uint32s(values: readonly number[], bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) {
    if (bigEndian) bytes.writeUInt32BE(value, 4 * index);
    else bytes.writeUInt32LE(value, 4 * index);
  }
  return bytes;
}

/** 2026-11-24T08:00:00Z. */
const START_SECONDS = Date.UTC(2026, 10, 24, 8) / 1000;
