/** Reads the TCP segment of an IP packet. */

export interface TcpSegment {
  /** Names this direction of the connection; `backward` names the other. */
  readonly forward: string;
  readonly backward: string;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly sequence: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** Valid as long as the packet. */
  readonly payload: Buffer;
  /** Bytes of payload that the capture cut off. */
  readonly missing: number;
}

export interface Endpoint {
  /** 4 or 16 bytes; valid as long as the packet. */
  readonly address: Buffer;
  readonly port: number;
}

/** @returns undefined for what is not TCP, is a fragment, or is cut off within its headers */
export function readTcpSegment(packet: Buffer): TcpSegment | undefined {
  const version = packet.length > 0 ? packet[0]! >> 4 : 0;
  if (version === 4) return readIpv4(packet);
  return version === 6 ? readIpv6(packet) : undefined;
}

function readIpv4(packet: Buffer): TcpSegment | undefined {
  if (packet.length < IPV4_MIN_LENGTH) return undefined;
  const headerLength = (packet[0]! & 0x0f) * 4;
  const isFragment = (packet.readUInt16BE(6) & 0x3fff) !== 0;
  if (headerLength < IPV4_MIN_LENGTH || packet[9] !== PROTOCOL_TCP || isFragment) return undefined;
  // Zero where the network card cuts the packet up after it was captured.
  const total = packet.readUInt16BE(2) || packet.length;
  return readTcp(packet, headerLength, total, packet.subarray(12, 16), packet.subarray(16, 20));
}

function readIpv6(packet: Buffer): TcpSegment | undefined {
  if (packet.length < IPV6_LENGTH) return undefined;
  const payloadLength = packet.readUInt16BE(4);
  const total = payloadLength === 0 ? packet.length : IPV6_LENGTH + payloadLength;
  let next = packet[6]!;
  let at = IPV6_LENGTH;
  while (EXTENSION_HEADERS.has(next)) {
    if (at + 8 > packet.length) return undefined;
    next = packet[at]!;
    at += (packet[at + 1]! + 1) * 8;
  }
  if (next !== PROTOCOL_TCP) return undefined;
  return readTcp(packet, at, total, packet.subarray(8, 24), packet.subarray(24, 40));
}

function readTcp(
  packet: Buffer,
  at: number,
  total: number,
  source: Buffer,
  destination: Buffer,
): TcpSegment | undefined {
  if (at + TCP_MIN_LENGTH > packet.length) return undefined;
  const payloadAt = at + (packet[at + 12]! >> 4) * 4;
  if (payloadAt < at + TCP_MIN_LENGTH || payloadAt > total) return undefined;
  const flags = packet[at + 13]!;
  const payload = packet.subarray(payloadAt, total);
  const sourcePort = packet.toString('latin1', at, at + 2);
  const destinationPort = packet.toString('latin1', at + 2, at + 4);
  const sourceKey = source.toString('latin1') + sourcePort;
  const destinationKey = destination.toString('latin1') + destinationPort;
  return {
    forward: sourceKey + destinationKey,
    backward: destinationKey + sourceKey,
    source: { address: source, port: packet.readUInt16BE(at) },
    destination: { address: destination, port: packet.readUInt16BE(at + 2) },
    sequence: packet.readUInt32BE(at + 4),
    fin: (flags & 0x01) !== 0,
    syn: (flags & 0x02) !== 0,
    rst: (flags & 0x04) !== 0,
    ack: (flags & 0x10) !== 0,
    payload,
    missing: total - payloadAt - payload.length,
  };
}

const PROTOCOL_TCP = 6;
const IPV4_MIN_LENGTH = 20;
const IPV6_LENGTH = 40;
const TCP_MIN_LENGTH = 20;
/** Hop-by-hop options, routing, destination options. */
const EXTENSION_HEADERS = new Set([0, 43, 60]);
