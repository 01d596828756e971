/**
 * Short names for what a hello offers, the same for every connection of the same client. docs/fingerprints.md defines
 * them.
 *
 * Record-format hellos have JA3 and JA4. SSLv2-format ones, for which nobody has published any, have two of ours in
 * their manner: the text `v2,VERSION,SPECS,CHALLENGE`, with the version in decimal as JA3 has it, the 24-bit cipher specs
 * in the order of the wire, in hex, joined by hyphens, and the length of the challenge in bytes; its MD5; and a short
 * form that begins with `v` where JA4 has `t`.
 */
import { createHash } from 'node:crypto';
import { ExtensionType, isSslv2CipherKind, type ClientHello, type Sslv2Offer } from '../../tls/index.js';
import { isGrease, numbers } from './hello-numbers.js';
import { ja4, shortHash, shortVersion, sortedHexList, twoDigits, type Offered } from './ja4.js';
import { decimalList, hexList } from './number-list.js';

export interface HelloFingerprint {
  /** Kind of `text`: JA3, or our own for the SSLv2 format. */
  readonly kind: 'ja3' | 'sslv2';
  /** 32 hex digits. */
  readonly hash: string;
  /** Undefined where it is longer than MAX_TEXT_BYTES; only scanners and attackers send such hellos. */
  readonly text?: string | undefined;
  /** JA4, or for the SSLv2 format our own, similar to it: `v10i190732_…`. */
  readonly short: string;
}

export function fingerprintHello(hello: ClientHello): HelloFingerprint {
  const { sslv2, clientVersion } = hello;
  if (sslv2 !== undefined) {
    return {
      kind: 'sslv2',
      ...named(sslv2Text(clientVersion, sslv2)),
      short: sslv2Short(clientVersion, sslv2),
    };
  }
  const offered: Offered = {
    suites: hello.cipherSuites.filter((id) => !isGrease(id)),
    extensions: [...(hello.extensions?.keys() ?? [])].filter((type) => !isGrease(type)),
  };
  return { kind: 'ja3', ...named(ja3Text(hello, offered)), short: ja4(hello, offered) };
}

function named(text: Buffer): Pick<HelloFingerprint, 'hash' | 'text'> {
  const hash = createHash('md5').update(text).digest('hex');
  return text.length > MAX_TEXT_BYTES ? { hash } : { hash, text: text.toString('latin1') };
}

function sslv2Text(clientVersion: number, { cipherSpecs, challengeLength }: Sslv2Offer): Buffer {
  const start = Buffer.from(`v2,${clientVersion},`);
  return Buffer.concat([start, hexList(cipherSpecs, 6, '-'), Buffer.from(`,${challengeLength}`)]);
}

/**
 * Version, number of suites and of SSL 2.0 kinds, length of the challenge; hash of the sorted specs; hash of the specs
 * in their order.
 */
function sslv2Short(clientVersion: number, { cipherSpecs, challengeLength }: Sslv2Offer): string {
  const kinds = cipherSpecs.filter(isSslv2CipherKind).length;
  const counts = [cipherSpecs.length - kinds, kinds, challengeLength].map(twoDigits);
  return [
    `v${shortVersion(clientVersion)}i${counts.join('')}`,
    shortHash(sortedHexList(cipherSpecs, 6)),
    shortHash(hexList(cipherSpecs, 6)),
  ].join('_');
}

function ja3Text({ clientVersion, extensions }: ClientHello, offered: Offered): Buffer {
  const groups = numbers(extensions?.get(ExtensionType.supported_groups), 2, 2);
  const formats = numbers(extensions?.get(ExtensionType.ec_point_formats), 1, 1);
  const lists = [offered.suites, offered.extensions, groups.filter((group) => !isGrease(group)), formats];
  const pieces = lists.flatMap((list) => [COMMA, decimalList(list)]);
  return Buffer.concat([Buffer.from(String(clientVersion)), ...pieces]);
}

const COMMA = Buffer.from(',');
/** Several times the text of a current client. */
const MAX_TEXT_BYTES = 1024;
