/**
 * The SSLv2-format ClientHello of RFC 5246, E.2 (RFC 6101, E.1; Hickman, 5.5.1), decoded to the same ClientHello as the
 * record-format one: null compression, no extensions, and a random made of the challenge.
 */
import { TlsError } from '../alert.js';
import { Reader } from '../wire.js';
import { RANDOM_LENGTH, type ClientHello } from './client-hello.js';

/** Bytes of the whole message, its two length bytes included; `header` is its first two bytes or more. */
export function sslv2HelloLength(header: Uint8Array): number {
  const length = ((header[0]! & 0x7f) << 8) | header[1]!;
  return SSLV2_HEADER_LENGTH + length;
}

/**
 * Refuses a length that no ClientHello can have, before anything is kept for it.
 * @throws TlsError malformed_sslv2_hello
 */
export function checkSslv2HelloLength(total: number): void {
  const length = total - SSLV2_HEADER_LENGTH;
  if (length < MIN_LENGTH || length > MAX_LENGTH) {
    throw new TlsError('malformed_sslv2_hello', `its length is ${length}`);
  }
}

/**
 * Decodes a whole SSLv2-format ClientHello, the two length bytes included.
 * @throws TlsError malformed_sslv2_hello, short_challenge
 */
export function decodeSslv2ClientHello(bytes: Buffer): ClientHello {
  checkSslv2HelloLength(bytes.length);
  const original = bytes.subarray(SSLV2_HEADER_LENGTH);
  const reader = new Reader(original);
  reader.u8();
  const clientVersion = reader.u16();
  const cipherSpecLength = reader.u16();
  const sessionIdLength = reader.u16();
  const challengeLength = reader.u16();
  if (cipherSpecLength === 0 || cipherSpecLength % CIPHER_KIND_LENGTH !== 0) {
    throw new TlsError('malformed_sslv2_hello', `cipher_spec_length is ${cipherSpecLength}`);
  }
  if (sessionIdLength > MAX_SESSION_ID_LENGTH) {
    throw new TlsError('malformed_sslv2_hello', `session_id_length is ${sessionIdLength}`);
  }
  if (cipherSpecLength + sessionIdLength + challengeLength !== reader.remaining) {
    throw new TlsError('malformed_sslv2_hello', 'the lengths do not add up');
  }
  if (challengeLength < MIN_CHALLENGE_LENGTH)
    throw new TlsError('short_challenge', `${challengeLength} bytes`);
  const cipherSpecs = decodeCipherSpecs(new Reader(reader.bytes(cipherSpecLength)));
  reader.bytes(sessionIdLength);
  return {
    format: 'sslv2',
    clientVersion,
    random: randomFromChallenge(reader.rest()),
    sessionId: Buffer.alloc(0),
    cipherSuites: cipherSpecs.filter((spec) => !isSslv2CipherKind(spec)),
    sslv2: { cipherSpecs, challengeLength },
    compressionMethods: [0],
    extensions: undefined,
    original,
  };
}

function decodeCipherSpecs(reader: Reader): number[] {
  const specs: number[] = [];
  while (reader.remaining > 0) specs.push(reader.u24());
  return specs;
}

/** A non-zero first byte marks a cipher kind of SSL 2.0, which no suite corresponds to (RFC 5246, E.2). */
export function isSslv2CipherKind(cipherSpec: number): boolean {
  return cipherSpec > 0xffff;
}

/** Right-justified, zeros in front (RFC 5246, E.2); of more than 32 bytes the last 32 count (RFC 4346, E.1). */
function randomFromChallenge(challenge: Buffer): Buffer {
  const random = Buffer.alloc(RANDOM_LENGTH);
  const last = challenge.subarray(-RANDOM_LENGTH);
  last.copy(random, RANDOM_LENGTH - last.length);
  return random;
}

/** Bytes: the length field with its top bit set, which is not part of the message. */
export const SSLV2_HEADER_LENGTH = 2;
/** Bytes: the fixed part and one cipher spec; a challenge too short for its own good has a reason of its own. */
const MIN_LENGTH = 12;
/** Bytes: what BoringSSL and OpenSSL 1.0.2 accept too; the longest captured hello has under 400. */
const MAX_LENGTH = 4096;
const CIPHER_KIND_LENGTH = 3;
const MAX_SESSION_ID_LENGTH = 32;
const MIN_CHALLENGE_LENGTH = 16;
