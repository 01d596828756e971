/**
 * Short names for what a hello offers, the same for every connection of the same client. docs/fingerprints.md defines
 * them.
 *
 * Record-format hellos have JA3 and JA4. SSLv2-format ones, for which nobody has published any, have two of ours in
 * their manner: the text `v2,VERSION,SPECS,CHALLENGE`, with the version in decimal as JA3 has it, the 24-bit cipher specs
 * in the order of the wire, in hex, joined by hyphens, and the length of the challenge in bytes; its MD5; and a short
 * form that begins with `v` where JA4 has `t`.
 */
import { ExtensionType, type ClientHello } from '../../tls/index.js';
import { isGrease, numbers } from './hello-numbers.js';
import { hex, ja4, shortHash, shortVersion, twoDigits } from './ja4.js';
import { textHash } from './text-hash.js';

export interface HelloFingerprint {
  /** What `text` is: JA3, or our own for the SSLv2 format. */
  readonly kind: 'ja3' | 'sslv2';
  /** 32 hex digits. */
  readonly hash: string;
  readonly text: string;
  /** JA4, or for the SSLv2 format ours in its manner: `v10i190732_…`. */
  readonly short: string;
}

export function fingerprintHello(hello: ClientHello): HelloFingerprint {
  const sslv2 = hello.format === 'sslv2';
  const text = sslv2 ? sslv2Text(hello) : ja3Text(hello);
  return {
    kind: sslv2 ? 'sslv2' : 'ja3',
    hash: textHash('md5', text),
    text,
    short: sslv2 ? sslv2Short(hello) : ja4(hello),
  };
}

/** The cipher specs of an SSLv2-format hello as they stood on the wire, SSL 2.0's own among them. */
export function sslv2Specs({ original }: ClientHello): number[] {
  const length = original.readUInt16BE(CIPHER_SPEC_LENGTH_AT);
  return Array.from({ length: length / 3 }, (_, index) =>
    original.readUIntBE(CIPHER_SPECS_AT + 3 * index, 3),
  );
}

/** All of an SSLv2-format hello but what is random in it, as latin1. */
export function sslv2Offer({ original }: ClientHello): string {
  const length = original.readUInt16BE(CIPHER_SPEC_LENGTH_AT);
  return original.toString('latin1', 0, CIPHER_SPECS_AT + length);
}

function sslv2Text(hello: ClientHello): string {
  const specs = sslv2Specs(hello).map((spec) => hex(spec, 6));
  return ['v2', hello.clientVersion, specs.join('-'), challengeLength(hello)].join(',');
}

/** Version, suites, kinds of SSL 2.0 and bytes of challenge; the specs sorted; the specs as they came. */
function sslv2Short(hello: ClientHello): string {
  const { clientVersion, cipherSuites, sslv2CipherKinds } = hello;
  const counts = [cipherSuites.length, sslv2CipherKinds.length, challengeLength(hello)].map(twoDigits);
  const specs = sslv2Specs(hello).map((spec) => hex(spec, 6));
  return [
    `v${shortVersion(clientVersion)}i${counts.join('')}`,
    shortHash([...specs].sort()),
    shortHash(specs),
  ].join('_');
}

function challengeLength({ original }: ClientHello): number {
  return original.readUInt16BE(CHALLENGE_LENGTH_AT);
}

function ja3Text({ clientVersion, cipherSuites, extensions }: ClientHello): string {
  const groups = numbers(extensions?.get(ExtensionType.supported_groups), 2, 2);
  const formats = numbers(extensions?.get(ExtensionType.ec_point_formats), 1, 1);
  const lists = [cipherSuites, [...(extensions?.keys() ?? [])], groups, formats];
  return [clientVersion, ...lists.map((list) => list.filter((value) => !isGrease(value)).join('-'))].join(
    ',',
  );
}

/** Offsets in an SSLv2-format hello without its length field (RFC 5246, E.2). */
const CIPHER_SPEC_LENGTH_AT = 3;
const CHALLENGE_LENGTH_AT = 7;
const CIPHER_SPECS_AT = 9;
