/** IP addresses between text and bytes. Text comes from the kernel or from a configured load balancer. */

/** 4 or 16 bytes, IPv4-mapped IPv6 as 4 however it is written; undefined for what is no address. */
export function addressBytes(text: string): Buffer | undefined {
  if (!text.includes(':')) return ipv4Bytes(text);
  const bytes = ipv6Bytes(text);
  const mapped = bytes?.subarray(0, MAPPED_PREFIX.length).equals(MAPPED_PREFIX) === true;
  return mapped ? bytes.subarray(MAPPED_PREFIX.length) : bytes;
}

/** The inverse, for 4 or 16 bytes (RFC 5952). */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  const { from, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`;
}

function longestZeroRun(groups: readonly string[]): { from: number; length: number } {
  let longest = { from: 0, length: 0 };
  for (let from = 0; from < groups.length; from += 1) {
    let end = from;
    while (groups[end] === '0') end += 1;
    if (end - from > longest.length) longest = { from, length: end - from };
  }
  return longest;
}

/** IPv4 as the last 4 of 16 bytes (RFC 4291, 2.5.5.2). */
export function mappedBytes(bytes: Buffer): Buffer {
  return bytes.length === 16 ? bytes : Buffer.concat([MAPPED_PREFIX, bytes]);
}

/** Four decimal numbers below 256, without leading zeros. */
function ipv4Bytes(text: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(4);
  let index = 0;
  let digits = 0;
  let value = 0;
  // Character by character, since every connection comes by here, and splitting takes five times as long.
  for (let at = 0; at <= text.length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && value === 0) return undefined;
      value = 10 * value + digit;
      digits += 1;
    } else {
      const ends = index === 3 ? at === text.length : text[at] === '.';
      if (!ends || digits === 0) return undefined;
      bytes[index] = value;
      index += 1;
      digits = value = 0;
    }
    if (value > 255) return undefined;
  }
  return index === 4 ? bytes : undefined;
}

function ipv6Bytes(text: string): Buffer | undefined {
  const [head = '', tail, ...more] = text.replace(/%.*$/, '').split('::');
  if (more.length > 0) return undefined;
  const left = hexGroups(head);
  const right = tail === undefined ? [] : hexGroups(tail);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const bytes = Buffer.alloc(16);
  [...left, ...Array<number>(missing).fill(0), ...right].forEach((group, index) =>
    bytes.writeUInt16BE(group, 2 * index),
  );
  return bytes;
}

/** Undefined where one is no group of one to four hex digits; the last may be an IPv4 address. */
function hexGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
      continue;
    }
    const ipv4 = index === parts.length - 1 ? ipv4Bytes(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push(ipv4.readUInt16BE(0), ipv4.readUInt16BE(2));
  }
  return groups;
}

const ZERO = '0'.charCodeAt(0);
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');
