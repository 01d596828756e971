/** The TCP payload of a packet that was copied with its headers. */

export interface Payload {
  readonly bytes: Buffer;
  /** Source and destination; one direction of one connection. */
  readonly flow: string;
  /** Bytes that the packet had according to its header and the dump does not have. */
  readonly missing: number;
  /** What stands behind the packet: another one, or padding. */
  readonly rest: Buffer;
}

/** @returns undefined if the bytes are no TCP packet over IPv4 or IPv6, with or without Ethernet and VLAN headers */
export function tcpPayload(bytes: Buffer): Payload | undefined {
  return ipPayload(bytes) ?? ethernetPayload(bytes);
}

function ethernetPayload(bytes: Buffer): Payload | undefined {
  let at = 12;
  while (at + 4 <= bytes.length && bytes.readUInt16BE(at) === ETHERTYPE_VLAN) at += 4;
  if (at + 2 > bytes.length || !ETHERTYPES_IP.has(bytes.readUInt16BE(at))) return undefined;
  return ipPayload(bytes.subarray(at + 2));
}

function ipPayload(bytes: Buffer): Payload | undefined {
  if (bytes.length < 40) return undefined;
  const version = bytes[0]! >> 4;
  if (version === 4 && bytes[9] === PROTOCOL_TCP) {
    const end = bytes.readUInt16BE(2);
    return tcpSegment(bytes, (bytes[0]! & 0xf) * 4, end, bytes.toString('hex', 12, 20));
  }
  if (version === 6 && bytes[6] === PROTOCOL_TCP) {
    return tcpSegment(bytes, 40, 40 + bytes.readUInt16BE(4), bytes.toString('hex', 8, 40));
  }
  return undefined;
}

/** @param end of the packet, as its IP header says; 0 where the network card splits segments */
function tcpSegment(packet: Buffer, from: number, end: number, addresses: string): Payload | undefined {
  if (from < 20 || from + 20 > packet.length) return undefined;
  const dataAt = from + (packet[from + 12]! >> 4) * 4;
  if (dataAt < from + 20) return undefined;
  const ports = packet.toString('hex', from, from + 4);
  const total = end === 0 ? packet.length : end;
  if (total < dataAt) return undefined;
  return {
    bytes: packet.subarray(dataAt, total),
    flow: `${addresses} ${ports}`,
    missing: Math.max(0, total - Math.max(packet.length, dataAt)),
    rest: packet.subarray(total),
  };
}

const PROTOCOL_TCP = 6;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPES_IP = new Set([0x0800, 0x86dd]);
