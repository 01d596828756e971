/** Version 2: a binary header with room for what is known of TLS (PROXY protocol, 2.2). */
import { addressBytes, addressText, ipv6MappedBytes } from '../net/ip-address.js';
import { crc32c } from './crc32c.js';
import type { DecodedProxyHeader, ProxyHeader } from './header.js';
import { decodeTlvs, encodeTlvs, TlvType, type ConnectionInfo } from './tlv.js';

/** A header for `source` and `destination`, with TLVs for `facts` and a checksum over all of it. */
export function encodeProxyV2(
  { command, source, destination }: ProxyHeader,
  facts: ConnectionInfo = {},
): Buffer {
  const from = source && addressBytes(source.address);
  const to = destination && addressBytes(destination.address);
  const known = command === 'PROXY' && from !== undefined && to !== undefined;
  const addresses = known ? addressBlock(from, source!.port, to, destination!.port) : Buffer.alloc(0);
  const family = !known ? FAMILY_UNSPEC : addresses.length === IPV4_LENGTH ? FAMILY_TCP4 : FAMILY_TCP6;
  const tlvs = encodeTlvs(facts);
  const checksumAt = FIXED_LENGTH + addresses.length + tlvs.length;
  const header = Buffer.alloc(checksumAt + EMPTY_CHECKSUM.length);
  let at = V2_SIGNATURE.copy(header);
  at = header.writeUInt8(command === 'LOCAL' ? VERSION_2_LOCAL : VERSION_2_PROXY, at);
  at = header.writeUInt8(family, at);
  at = header.writeUInt16BE(header.length - FIXED_LENGTH, at);
  at += addresses.copy(header, at);
  tlvs.copy(header, at);
  EMPTY_CHECKSUM.copy(header, checksumAt);
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

/** @param bytes at least the signature */
export function decodeV2(bytes: Buffer): DecodedProxyHeader {
  if (bytes.length < FIXED_LENGTH) return { need: 'more' };
  const versionAndCommand = bytes[V2_SIGNATURE.length]!;
  const family = bytes[V2_SIGNATURE.length + 1]!;
  const length = bytes.readUInt16BE(V2_SIGNATURE.length + 2);
  if (versionAndCommand !== VERSION_2_PROXY && versionAndCommand !== VERSION_2_LOCAL) {
    return { malformed: 'an unknown version or command' };
  }
  if (length > MAX_LENGTH) return { malformed: `${length} bytes are too many` };
  const consumed = FIXED_LENGTH + length;
  if (bytes.length < consumed) return { need: 'more' };
  const header = bytes.subarray(0, consumed);
  if (versionAndCommand === VERSION_2_LOCAL) return { header: { command: 'LOCAL' }, consumed };
  const addressLength = ADDRESS_LENGTHS.get(family);
  if (addressLength === undefined) return { header: { command: 'UNKNOWN' }, consumed };
  if (length < addressLength) return { malformed: 'too short for its addresses' };
  const tlvs = decodeTlvs(header.subarray(FIXED_LENGTH + addressLength));
  if (tlvs === undefined) return { malformed: 'a TLV is longer than the header' };
  const checksum = tlvs.find(({ type }) => type === TlvType.crc32c);
  if (checksum !== undefined && !isIntact(header, checksum.value))
    return { malformed: 'the checksum is wrong' };
  return { header: { ...readAddresses(header.subarray(FIXED_LENGTH), addressLength), tlvs }, consumed };
}

function addressBlock(from: Buffer, fromPort: number, to: Buffer, toPort: number): Buffer {
  const mixed = from.length !== to.length;
  const source = mixed ? ipv6MappedBytes(from) : from;
  const destination = mixed ? ipv6MappedBytes(to) : to;
  const block = Buffer.alloc(2 * source.length + 4);
  source.copy(block);
  destination.copy(block, source.length);
  block.writeUInt16BE(fromPort, block.length - 4);
  block.writeUInt16BE(toPort, block.length - 2);
  return block;
}

function readAddresses(body: Buffer, addressLength: number): ProxyHeader {
  const size = (addressLength - 4) / 2;
  const read = (index: number): { address: string; port: number } => ({
    address: addressText(body.subarray(index * size, (index + 1) * size)),
    port: body.readUInt16BE(2 * size + 2 * index),
  });
  return { command: 'PROXY', source: read(0), destination: read(1) };
}

/** The checksum is over the header with its own four bytes as zeros. */
function isIntact(header: Buffer, value: Buffer): boolean {
  if (value.length !== 4) return false;
  const zeroed = Buffer.from(header);
  const at = value.byteOffset - header.byteOffset;
  zeroed.fill(0, at, at + 4);
  return crc32c(zeroed) === value.readUInt32BE(0);
}

export const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Bytes: signature, version and command, family, length. */
const FIXED_LENGTH = V2_SIGNATURE.length + 4;
/** Bytes that may follow; real headers with every TLV stay below 1 KiB. */
const MAX_LENGTH = 4096;
const VERSION_2_LOCAL = 0x20;
const VERSION_2_PROXY = 0x21;
const FAMILY_UNSPEC = 0x00;
const FAMILY_TCP4 = 0x11;
const FAMILY_TCP6 = 0x21;
/** Bytes: two addresses and two ports. */
const IPV4_LENGTH = 12;
const IPV6_LENGTH = 36;
const ADDRESS_LENGTHS = new Map([
  [FAMILY_TCP4, IPV4_LENGTH],
  [FAMILY_TCP6, IPV6_LENGTH],
]);
const EMPTY_CHECKSUM = Buffer.from([TlvType.crc32c, 0, 4, 0, 0, 0, 0]);
