/**
 * A short name for what a hello offers, the same for every connection of the same client.
 *
 * Record-format hellos have JA3: MD5 over version, suites, extensions, groups and point formats, GREASE left out
 * (RFC 8701). SSLv2-format hellos, for which nobody has published one, have this instead: the text
 * `v2,VERSION,SPECS,CHALLENGE`, with the version in decimal as JA3 has it, the 24-bit cipher specs in the order of the
 * wire, in hex, joined by hyphens, and the length of the challenge in bytes; and its MD5.
 */
import { createHash } from 'node:crypto';
import { ExtensionType, type ClientHello } from '../tls/index.js';

export interface HelloFingerprint {
  /** What `text` is: JA3, or our own for the SSLv2 format. */
  readonly kind: 'ja3' | 'sslv2';
  /** 32 hex digits. */
  readonly hash: string;
  readonly text: string;
}

export function fingerprintHello(hello: ClientHello): HelloFingerprint {
  const kind = hello.format === 'sslv2' ? 'sslv2' : 'ja3';
  const text = hello.format === 'sslv2' ? sslv2Text(hello) : ja3Text(hello);
  return { kind, hash: createHash('md5').update(text).digest('hex'), text };
}

/** The cipher specs of an SSLv2-format hello as they stood on the wire, SSL 2.0's own among them. */
export function sslv2Specs({ original }: ClientHello): number[] {
  const length = original.readUInt16BE(CIPHER_SPEC_LENGTH_AT);
  return Array.from({ length: length / 3 }, (_, index) =>
    original.readUIntBE(CIPHER_SPECS_AT + 3 * index, 3),
  );
}

function sslv2Text(hello: ClientHello): string {
  const specs = sslv2Specs(hello).map((spec) => spec.toString(16).padStart(6, '0'));
  const challengeLength = hello.original.readUInt16BE(CHALLENGE_LENGTH_AT);
  return ['v2', hello.clientVersion, specs.join('-'), challengeLength].join(',');
}

function ja3Text({ clientVersion, cipherSuites, extensions }: ClientHello): string {
  const groups = numbers(extensions?.get(ExtensionType.supported_groups), 2, 2);
  const formats = numbers(extensions?.get(ExtensionType.ec_point_formats), 1, 1);
  const lists = [cipherSuites, [...(extensions?.keys() ?? [])], groups, formats];
  return [clientVersion, ...lists.map((list) => list.filter((value) => !isGrease(value)).join('-'))].join(
    ',',
  );
}

/** A vector's content as numbers of `width` bytes; what is cut short is left out. */
function numbers(vector: Buffer | undefined, prefix: number, width: 1 | 2): number[] {
  if (vector === undefined) return [];
  const count = Math.max(0, Math.floor((vector.length - prefix) / width));
  return Array.from({ length: count }, (_, index) => vector.readUIntBE(prefix + index * width, width));
}

/** RFC 8701, 2: 0x0A0A, 0x1A1A, … */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** Offsets in an SSLv2-format hello without its length field (RFC 5246, E.2). */
const CIPHER_SPEC_LENGTH_AT = 3;
const CHALLENGE_LENGTH_AT = 7;
const CIPHER_SPECS_AT = 9;
