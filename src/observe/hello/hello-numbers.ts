/** The numbers in a hello that describe its client. Lenient: truncated lists are read as far as they go. */
import {
  ExtensionType,
  ProtocolVersion,
  SSL_2_0,
  TLS_1_3,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  TLS_FALLBACK_SCSV,
  type ClientHello,
} from '../../tls/index.js';

/**
 * The newest existing version that a hello offers; a hello for TLS 1.3 has 1.2 in its version field (RFC 8446, 4.2.1).
 */
export function offeredVersion(hello: ClientHello): number {
  const versions = supportedVersions(hello).filter((version) => KNOWN_VERSIONS.has(version));
  return versions.length === 0 ? hello.clientVersion : Math.max(...versions);
}

/** From supported_versions, without GREASE; empty where the extension is absent. */
export function supportedVersions({ extensions }: ClientHello): number[] {
  return numbers(extensions?.get(ExtensionType.supported_versions), 1, 2).filter(
    (version) => !isGrease(version),
  );
}

/** The content of a vector as numbers of `width` bytes; its length field has `prefix` bytes. */
export function numbers(vector: Buffer | undefined, prefix: number, width: 1 | 2): number[] {
  if (vector === undefined) return [];
  const count = Math.max(0, Math.floor((vector.length - prefix) / width));
  return Array.from({ length: count }, (_, index) => vector.readUIntBE(prefix + index * width, width));
}

/** RFC 8701, 2: 0x0A0A, 0x1A1A, … */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/**
 * Whether a number from a list of cipher suites is a suite, and not GREASE or a signalling value (RFC 5746, RFC 7507).
 */
export function isSuite(id: number): boolean {
  return !isGrease(id) && !SIGNALS.has(id);
}

const SIGNALS = new Set<number>([TLS_EMPTY_RENEGOTIATION_INFO_SCSV, TLS_FALLBACK_SCSV]);
const KNOWN_VERSIONS = new Set<number>([SSL_2_0, ...Object.values(ProtocolVersion), TLS_1_3]);
