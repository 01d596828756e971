/** Version 1: one line of text (PROXY protocol, 2.1). */
import type { Endpoint } from '../net/endpoint.js';
import { addressBytes, addressText, ipv6MappedBytes } from '../net/ip-address.js';
import type { DecodedProxyHeader, ProxyHeader } from './header.js';

export function encodeProxyV1({ source, destination }: ProxyHeader): Buffer {
  const from = source && addressBytes(source.address);
  const to = destination && addressBytes(destination.address);
  if (from === undefined || to === undefined) return Buffer.from('PROXY UNKNOWN\r\n');
  const both = from.length === to.length ? [from, to] : [ipv6MappedBytes(from), ipv6MappedBytes(to)];
  const family = both[0]!.length === 4 ? 'TCP4' : 'TCP6';
  const addresses = both.map(addressText).join(' ');
  return Buffer.from(`PROXY ${family} ${addresses} ${source!.port} ${destination!.port}\r\n`);
}

/** @param bytes at least the signature */
export function decodeV1(bytes: Buffer): DecodedProxyHeader {
  const end = bytes.subarray(0, MAX_LENGTH).indexOf('\r\n');
  if (end < 0) return bytes.length >= MAX_LENGTH ? { malformed: 'the line is too long' } : { need: 'more' };
  const consumed = end + 2;
  const [, family, ...fields] = bytes.toString('latin1', 0, end).split(' ');
  if (family === 'UNKNOWN') return { header: { command: 'UNKNOWN' }, consumed };
  const length = family === 'TCP4' ? 4 : family === 'TCP6' ? 16 : undefined;
  if (length === undefined) return { malformed: 'neither TCP4, TCP6 nor UNKNOWN' };
  if (fields.length !== 4) return { malformed: 'not two addresses and two ports' };
  const source = endpoint(fields[0]!, fields[2]!, length);
  const destination = endpoint(fields[1]!, fields[3]!, length);
  if (source === undefined || destination === undefined)
    return { malformed: 'an address or port is not one' };
  return { header: { command: 'PROXY', source, destination }, consumed };
}

function endpoint(address: string, port: string, length: number): Endpoint | undefined {
  const bytes = addressBytes(address);
  const fits = bytes !== undefined && (length === 4) === !address.includes(':');
  if (!fits || !/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined;
  return { address: addressText(bytes), port: Number(port) };
}

export const V1_SIGNATURE = Buffer.from('PROXY ');
/** Bytes, CRLF included: enough for any header by the specification. */
const MAX_LENGTH = 107;
