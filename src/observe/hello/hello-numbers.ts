/** The numbers in a hello that describe its client, read leniently: what is cut short is left out, not refused. */
import {
  ExtensionType,
  ProtocolVersion,
  SSL_2_0,
  TLS_1_3,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  TLS_FALLBACK_SCSV,
  type ClientHello,
} from '../../tls/index.js';

/** The newest version a hello offers that exists; TLS 1.3 hides behind 1.2 (RFC 8446, 4.2.1). */
export function offeredVersion(hello: ClientHello): number {
  const versions = supportedVersions(hello).filter((version) => KNOWN_VERSIONS.has(version));
  return versions.length === 0 ? hello.clientVersion : Math.max(...versions);
}

/** Of supported_versions, GREASE left out; empty where the extension is absent. */
export function supportedVersions({ extensions }: ClientHello): number[] {
  return numbers(extensions?.get(ExtensionType.supported_versions), 1, 2).filter(
    (version) => !isGrease(version),
  );
}

/** A vector's content behind its `prefix` bytes of length, as numbers of `width` bytes. */
export function numbers(vector: Buffer | undefined, prefix: number, width: 1 | 2): number[] {
  if (vector === undefined) return [];
  const count = Math.max(0, Math.floor((vector.length - prefix) / width));
  return Array.from({ length: count }, (_, index) => vector.readUIntBE(prefix + index * width, width));
}

/** RFC 8701, 2: 0x0A0A, 0x1A1A, … */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** Whether a number in a list of cipher suites is one, and not GREASE or a signalling value (RFC 5746, RFC 7507). */
export function isSuite(id: number): boolean {
  return !isGrease(id) && !SIGNALS.has(id);
}

const SIGNALS = new Set<number>([TLS_EMPTY_RENEGOTIATION_INFO_SCSV, TLS_FALLBACK_SCSV]);
const KNOWN_VERSIONS = new Set<number>([SSL_2_0, ...Object.values(ProtocolVersion), TLS_1_3]);
