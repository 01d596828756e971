/**
 * What the first bytes of a connection are, from at most five of them and before anything is answered. A record never
 * has the top bit of its first byte set and an SSLv2-format ClientHello always has, so there is no ambiguity.
 */
import { ContentType, SSL_2_0 } from '../code-points.js';

export type FirstBytes =
  | 'need_more'
  /** An SSLv2-format ClientHello that offers SSL 3.0 or later (RFC 5246, E.2). */
  | 'sslv2_hello'
  /** A ClientHello of SSL 2.0 itself: nothing in it can be served (RFC 6176, 3). */
  | 'pure_sslv2'
  /** The three-byte SSLv2 header, which RFC 5246, E.2 does not allow for a ClientHello. */
  | 'sslv2_padded_header'
  /** TLS framing; a ClientHello may be inside, and where it is not, that deserves an alert. */
  | 'record'
  /** TLS framing of a major version that is not 3. */
  | 'unknown_version'
  | 'plaintext'
  | 'garbage';

/** Classifies `bytes`, the first ones of a connection; five decide, fewer only when they already can. */
export function classifyFirstBytes(bytes: Uint8Array): FirstBytes {
  if (bytes.length < FIRST_BYTES_NEEDED) return 'need_more';
  const first = bytes[0]!;
  if (first >= 0x80) return classifySslv2(bytes);
  if (first === ContentType.handshake && bytes[1] !== 3) return 'unknown_version';
  if (isRecordType(first) && bytes[1] === 3) return 'record';
  // Of a type that does not exist, and the answer to that is an alert (RFC 5246, 6).
  if (bytes[1] === 3 && bytes[2]! <= NEWEST_MINOR) return 'record';
  if (bytes[3] === CLIENT_HELLO && (bytes[4] === 0 || bytes[4] === 3)) return 'sslv2_padded_header';
  return bytes.subarray(0, FIRST_BYTES_NEEDED).every(isPrintable) ? 'plaintext' : 'garbage';
}

function classifySslv2(bytes: Uint8Array): FirstBytes {
  if (bytes[2] !== CLIENT_HELLO) return 'garbage';
  if (bytes[3] === 3) return 'sslv2_hello';
  return bytes[3]! * 0x100 + bytes[4]! === SSL_2_0 ? 'pure_sslv2' : 'unknown_version';
}

/** Heartbeat too (RFC 6520), which is as wrong here as application data and ChangeCipherSpec are. */
function isRecordType(type: number): boolean {
  return type >= ContentType.change_cipher_spec && type <= HEARTBEAT;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0d || byte === 0x0a || byte === 0x09;
}

/** Bytes: header and version of an SSLv2-format ClientHello, or the header of a record. */
export const FIRST_BYTES_NEEDED = 5;

const HEARTBEAT = 24;
/** That any record carries (TLS 1.2; TLS 1.3 stays with it). */
const NEWEST_MINOR = 3;

/** MSG-CLIENT-HELLO (Hickman, 5.5.1), the same number as HandshakeType.client_hello. */
const CLIENT_HELLO = 1;
