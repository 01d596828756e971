/**
 * IP addresses as text and as bytes, and the network that an address belongs to. Every connection comes through here, and
 * text may come from a peer (PROXY protocol), so parsing is one strict pass: no shorthand, no octal or hexadecimal IPv4.
 */

/** 4 or 16 bytes; an IPv4-mapped IPv6 address as 4; undefined for any other text. A zone ("%eth0") is left out. */
export function addressBytes(text: string): Buffer | undefined {
  if (!text.includes(':')) return ipv4Bytes(text, 0, text.length);
  const bytes = ipv6Bytes(text);
  return bytes !== undefined && isMapped(bytes) ? bytes.subarray(MAPPED_PREFIX.length) : bytes;
}

/** The canonical text of 4 or 16 bytes (RFC 5952). */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const { from, length } = longestZeroRun(bytes);
  if (length < 2) return groupsText(bytes, 0, 8);
  return `${groupsText(bytes, 0, from)}::${groupsText(bytes, from + length, 8)}`;
}

/** IPv4 as the last 4 of 16 bytes (RFC 4291, 2.5.5.2). */
export function ipv6MappedBytes(bytes: Buffer): Buffer {
  return bytes.length === 16 ? bytes : Buffer.concat([MAPPED_PREFIX, bytes]);
}

/** The network of one site, as counted in logs and reports: "192.0.2.0/24", "2001:db8::/64". Other text is returned as it is. */
export function siteNetwork(address: string): string {
  const bytes = addressBytes(address);
  if (bytes === undefined) return address;
  if (bytes.length === 16) return ipv6Network(bytes);
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.0/24`;
}

/**
 * What limits count as one client: an IPv4 address, or the /64 of an IPv6 address, because a single host has at least
 * a /64 (RFC 6177) and can use every address in it.
 */
export function limitKey(address: string): string {
  if (!address.includes(':')) return address;
  const bytes = addressBytes(address);
  if (bytes === undefined) return address;
  return bytes.length === 16 ? ipv6Network(bytes) : addressText(bytes);
}

function ipv6Network(bytes: Buffer): string {
  const network = Buffer.from(bytes);
  network.fill(0, IPV6_SITE_BYTES);
  return `${addressText(network)}/${8 * IPV6_SITE_BYTES}`;
}

/** Four decimal numbers below 256, without leading zeros. */
function ipv4Bytes(text: string, from: number, end: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(4);
  let index = 0;
  let digits = 0;
  let value = 0;
  for (let at = from; at <= end; at += 1) {
    const digit = at < end ? text.charCodeAt(at) - ZERO : -1;
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && value === 0) return undefined;
      value = 10 * value + digit;
      digits += 1;
    } else {
      const isEnd = index === 3 ? at === end : at < end && text.charCodeAt(at) === DOT;
      if (!isEnd || digits === 0) return undefined;
      bytes[index] = value;
      index += 1;
      digits = value = 0;
    }
    if (value > 255) return undefined;
  }
  return index === 4 ? bytes : undefined;
}

function ipv6Bytes(text: string): Buffer | undefined {
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  const bytes = Buffer.alloc(16);
  let gap = text.startsWith('::') ? 0 : undefined;
  let length = 0;
  for (let at = gap === undefined ? 0 : 2; at < end;) {
    const added = readGroup(text, at, end, bytes, length);
    if (added === undefined) return undefined;
    length += added.bytes;
    if (added.end === end) break;
    at = added.end + 1;
    if (at === end) return undefined;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap !== undefined) return undefined;
    gap = length;
    at += 1;
  }
  return gap === undefined ? (length === 16 ? bytes : undefined) : fillGap(bytes, gap, length);
}

/** One to four hexadecimal digits, or an IPv4 address at the end (RFC 4291, 2.2). */
function readGroup(
  text: string,
  from: number,
  end: number,
  bytes: Buffer,
  length: number,
): { readonly bytes: number; readonly end: number } | undefined {
  let value = 0;
  let at = from;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) break;
    if (code === DOT) return readIpv4Tail(text, from, end, bytes, length);
    const digit = hexDigit(code);
    if (digit < 0 || at - from === 4) return undefined;
    value = (value << 4) | digit;
  }
  if (at === from || length > 14) return undefined;
  bytes.writeUInt16BE(value, length);
  return { bytes: 2, end: at };
}

function readIpv4Tail(text: string, from: number, end: number, bytes: Buffer, length: number) {
  const ipv4 = length > 12 ? undefined : ipv4Bytes(text, from, end);
  if (ipv4 === undefined) return undefined;
  bytes.set(ipv4, length);
  return { bytes: 4, end };
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const letter = (code | 0x20) - LETTER_A;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** `::` stands for one or more groups of zeros. */
function fillGap(bytes: Buffer, gap: number, length: number): Buffer | undefined {
  if (length === 16) return undefined;
  const tail = length - gap;
  bytes.copyWithin(16 - tail, gap, length);
  return bytes.fill(0, gap, 16 - tail);
}

function isMapped(bytes: Buffer): boolean {
  return bytes.compare(MAPPED_PREFIX, 0, MAPPED_PREFIX.length, 0, MAPPED_PREFIX.length) === 0;
}

function groupsText(bytes: Buffer, from: number, to: number): string {
  let text = '';
  for (let group = from; group < to; group += 1) {
    text += (group === from ? '' : ':') + bytes.readUInt16BE(2 * group).toString(16);
  }
  return text;
}

/** In groups; the first of several longest. */
function longestZeroRun(bytes: Buffer): { from: number; length: number } {
  let longest = { from: 0, length: 0 };
  for (let from = 0; from < 8; from += 1) {
    let end = from;
    while (end < 8 && bytes.readUInt16BE(2 * end) === 0) end += 1;
    if (end - from > longest.length) longest = { from, length: end - from };
  }
  return longest;
}

const ZERO = '0'.charCodeAt(0);
const LETTER_A = 'a'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');
/** A /64. */
const IPV6_SITE_BYTES = 8;
