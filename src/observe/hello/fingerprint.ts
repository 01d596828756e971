/**
 * Short names for what a hello offers, the same for every connection of the same client. docs/fingerprints.md defines
 * them.
 *
 * Record-format hellos have JA3 and JA4. SSLv2-format ones, for which nobody has published any, have two of ours in
 * their manner: the text `v2,VERSION,SPECS,CHALLENGE`, with the version in decimal as JA3 has it, the 24-bit cipher specs
 * in the order of the wire, in hex, joined by hyphens, and the length of the challenge in bytes; its MD5; and a short
 * form that begins with `v` where JA4 has `t`.
 */
import { ExtensionType, isSslv2CipherKind, type ClientHello, type Sslv2Offer } from '../../tls/index.js';
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
  const { sslv2, clientVersion } = hello;
  const text = sslv2 === undefined ? ja3Text(hello) : sslv2Text(clientVersion, sslv2);
  return {
    kind: sslv2 === undefined ? 'ja3' : 'sslv2',
    hash: textHash('md5', text),
    text,
    short: sslv2 === undefined ? ja4(hello) : sslv2Short(clientVersion, sslv2),
  };
}

function sslv2Text(clientVersion: number, { cipherSpecs, challengeLength }: Sslv2Offer): string {
  const specs = cipherSpecs.map((spec) => hex(spec, 6));
  return ['v2', clientVersion, specs.join('-'), challengeLength].join(',');
}

/** Version, suites, kinds of SSL 2.0 and bytes of challenge; the specs sorted; the specs as they came. */
function sslv2Short(clientVersion: number, { cipherSpecs, challengeLength }: Sslv2Offer): string {
  const kinds = cipherSpecs.filter(isSslv2CipherKind).length;
  const counts = [cipherSpecs.length - kinds, kinds, challengeLength].map(twoDigits);
  const specs = cipherSpecs.map((spec) => hex(spec, 6));
  return [
    `v${shortVersion(clientVersion)}i${counts.join('')}`,
    shortHash([...specs].sort()),
    shortHash(specs),
  ].join('_');
}

function ja3Text({ clientVersion, cipherSuites, extensions }: ClientHello): string {
  const groups = numbers(extensions?.get(ExtensionType.supported_groups), 2, 2);
  const formats = numbers(extensions?.get(ExtensionType.ec_point_formats), 1, 1);
  const lists = [cipherSuites, [...(extensions?.keys() ?? [])], groups, formats];
  return [clientVersion, ...lists.map((list) => list.filter((value) => !isGrease(value)).join('-'))].join(
    ',',
  );
}
