/** One type for both wire forms of a ClientHello, and the decoder of the record-format one (RFC 5246, 7.4.1.2). */
import { TlsError } from '../alert.js';
import { HANDSHAKE_HEADER_LENGTH, ProtocolVersion } from '../code-points.js';
import { Reader } from '../wire.js';
import { ExtensionBlock } from './extension-block.js';

export type HelloFormat = 'sslv2' | 'record';

export interface ClientHello {
  readonly format: HelloFormat;
  /** The newest version the client offers below TLS 1.3; may be a number that does not exist. */
  readonly clientVersion: number;
  /** 32 bytes. */
  readonly random: Buffer;
  /** 0 to 32 bytes; always empty for the SSLv2 format, where resumption is not allowed (RFC 5246, E.2). */
  readonly sessionId: Buffer;
  /** In the client's order, signalling values included. */
  readonly cipherSuites: readonly number[];
  /** What only the SSLv2 format has; undefined for the record format. */
  readonly sslv2: Sslv2Offer | undefined;
  readonly compressionMethods: readonly number[];
  /** Undecoded, by type, in the client's order; undefined where the hello has no extension block. */
  readonly extensions: ReadonlyMap<number, Buffer> | undefined;
  /** What the transcript hashes: the handshake message with its header, or the SSLv2 message without its length. */
  readonly original: Buffer;
}

/** For the operator; nothing in it is negotiated. */
export interface Sslv2Offer {
  /** 24 bits each, in the client's order: the cipher suites with the cipher kinds of SSL 2.0 between them. */
  readonly cipherSpecs: readonly number[];
  /** Bytes. */
  readonly challengeLength: number;
}

/**
 * Decodes a ClientHello handshake message.
 * @param message the whole message, its 4-byte header included
 * @throws TlsError malformed_message
 */
export function decodeClientHello(message: Buffer): ClientHello {
  const reader = new Reader(message.subarray(HANDSHAKE_HEADER_LENGTH));
  const clientVersion = reader.u16();
  const random = reader.bytes(RANDOM_LENGTH);
  const sessionId = reader.vector8().rest();
  if (sessionId.length > MAX_SESSION_ID_LENGTH)
    throw new TlsError('malformed_message', 'session_id too long');
  const cipherSuites = reader.vector16().u16List();
  if (cipherSuites.length === 0) throw new TlsError('malformed_message', 'no cipher_suites');
  const compressionMethods = [...reader.vector8().rest()];
  if (compressionMethods.length === 0) throw new TlsError('malformed_message', 'no compression_methods');
  return {
    format: 'record',
    clientVersion,
    random,
    sessionId,
    cipherSuites,
    sslv2: undefined,
    compressionMethods,
    extensions: decodeExtensionBlock(reader, clientVersion),
    original: message,
  };
}

/**
 * RFC 5746, 3.3: SSLv3 clients may put anything behind the compression methods, and it must be ignored; from TLS 1.0 on
 * only a well-formed extension block may stand there.
 */
function decodeExtensionBlock(reader: Reader, clientVersion: number): ExtensionBlock | undefined {
  if (reader.remaining === 0) return undefined;
  try {
    const block = reader.vector16().rest();
    reader.end();
    return new ExtensionBlock(block);
  } catch (error) {
    if (error instanceof TlsError && clientVersion === ProtocolVersion.SSLv3) return undefined;
    throw error;
  }
}

export const RANDOM_LENGTH = 32;
const MAX_SESSION_ID_LENGTH = 32;
