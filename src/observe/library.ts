/** Which TLS library a hello probably comes from. Each rule rests on captured hellos; where they end it says unknown. */
import { TLS_EMPTY_RENEGOTIATION_INFO_SCSV, type ClientHello } from '../tls/index.js';
import { sslv2Specs } from './fingerprint.js';

export function likelyLibrary(hello: ClientHello): string {
  if (hello.format !== 'sslv2') return 'unknown';
  const specs = sslv2Specs(hello);
  return SSLV2_RULES.find(({ matches }) => matches(specs, hello))?.library ?? 'unknown';
}

interface Rule {
  readonly library: string;
  readonly matches: (specs: readonly number[], hello: ClientHello) => boolean;
}

const SSLV2_RULES: readonly Rule[] = [
  {
    // JSSE puts an SSL 2.0 kind behind the suite whose low byte it mistakes for its own: 0700c0 behind c00a.
    library: 'JSSE 7 or later',
    matches: (specs) => isFollowedBy(specs, 0xc00a, 0x0700c0),
  },
  {
    // Java 6: RC4-MD5 first, each kind right behind its suite.
    library: 'JSSE 6',
    matches: (specs) => startsWith(specs, [0x04, 0x010080, 0x05, 0x2f, 0x33, 0x32, 0x0a, 0x0700c0]),
  },
  {
    // Internet Explorer 6 on Windows XP: the suites of 1998, then all kinds together.
    library: 'Schannel of Windows XP or 2003',
    matches: (specs) => startsWith(specs, [0x04, 0x05, 0x0a, 0x010080, 0x0700c0, 0x030080]),
  },
  {
    // The only one that offers TLS 1.1 or 1.2 in this format and is not JSSE.
    library: 'OpenSSL 1.0.1 or 1.0.2',
    matches: (specs, { clientVersion }) =>
      clientVersion >= 0x0302 && specs.some((spec) => spec >= 0xc000 && spec <= 0xffff),
  },
  {
    // The default list of 0.9.7 and 0.9.8; the signalling suite came with 0.9.8m.
    library: 'OpenSSL 0.9.8m or later 0.9.8',
    matches: (specs) => startsWith(specs, OPENSSL_0_9) && specs.includes(TLS_EMPTY_RENEGOTIATION_INFO_SCSV),
  },
  {
    library: 'OpenSSL 0.9.7 or 0.9.8 before m',
    matches: (specs) => startsWith(specs, OPENSSL_0_9),
  },
];

function startsWith(specs: readonly number[], start: readonly number[]): boolean {
  return start.every((spec, index) => specs[index] === spec);
}

function isFollowedBy(specs: readonly number[], first: number, second: number): boolean {
  const at = specs.indexOf(first);
  return at >= 0 && specs[at + 1] === second;
}

const OPENSSL_0_9 = [0x39, 0x38, 0x35, 0x16, 0x13, 0x0a, 0x0700c0, 0x33, 0x32, 0x2f];
