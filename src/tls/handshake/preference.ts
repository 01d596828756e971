/**
 * The server's order of preference, which depends on what the hello lets us assume about the client's age. In words:
 * forward secrecy where the client says it can, plain RSA with a good cipher before guessing, and RC4 and 3DES only for
 * those who have nothing else.
 */
import { CIPHER_SUITE_BY_ID, CIPHER_SUITES, type CipherFamily, type CipherSuite } from '../cipher-suites.js';
import { isFiniteFieldGroup, ProtocolVersion } from '../code-points.js';
import type { Offer } from './negotiate.js';

/** A comparator: the better suite first. */
export function compareSuites(offer: Offer, version: ProtocolVersion) {
  const rank = suiteRanker(offer, version);
  return (a: CipherSuite, b: CipherSuite): number => {
    const left = rank(a);
    const right = rank(b);
    return left[0] - right[0] || left[1] - right[1] || left[2] - right[2] || a.id - b.id;
  };
}

type Rank = readonly [tier: number, within: number, tieBreak: number];

function suiteRanker({ hello, extensions }: Offer, version: ProtocolVersion): (suite: CipherSuite) => Rank {
  const curvesKnown = extensions.supportedGroups !== undefined;
  const longDhKnown =
    extensions.supportedGroups?.some(isFiniteFieldGroup) === true ||
    (version === ProtocolVersion['TLSv1.2'] && extensions.signatureAlgorithms !== undefined);
  const keyExchange = {
    ecdhe: curvesKnown ? 0 : 3,
    // Java 6 and 7 fail with more than 1024 bits and cannot say so; only a modern offer shows that DHE is safe.
    dhe: longDhKnown ? 1 : 4,
    rsa: 2,
  };
  const families = FAMILY_TIERS[ageOf(version)];
  const cipherRank = cipherRanks(hello.cipherSuites);
  return (suite) => {
    const authentication = suite.authentication === 'ecdsa' ? 0 : 1;
    const tier = families[suite.family];
    if (tier !== STRONG) return [tier, cipherTie(suite) + keyExchange[suite.keyExchange] * 2, authentication];
    return [tier, keyExchange[suite.keyExchange], cipherRank(suite) * 2 + authentication];
  };
}

/** SHA-1 before MD5 in the MAC. */
function cipherTie(suite: CipherSuite): number {
  return suite.mac === 'md5' ? 1 : 0;
}

function ageOf(version: ProtocolVersion): keyof typeof FAMILY_TIERS {
  if (version === ProtocolVersion.SSLv3) return 'ssl3';
  return version === ProtocolVersion.TLSv1 ? 'tls10' : 'later';
}

/** ChaCha20 goes first for a client that puts it first: it has no AES instructions. */
function cipherRanks(offered: readonly number[]): (suite: CipherSuite) => number {
  const firstAead = offered.find((id) => CIPHER_SUITE_BY_ID.get(id)?.bulk.kind === 'aead');
  const chachaFirst = firstAead !== undefined && CIPHER_SUITE_BY_ID.get(firstAead)?.family === 'chacha20';
  return (suite) => (chachaFirst && suite.family === 'chacha20' ? -1 : CIPHER_RANKS.get(suite.id)!);
}

/** In this tier key exchange counts first, then the cipher. */
const STRONG = 0;

type FamilyTiers = Record<CipherFamily, number>;
const strong = { 'aes-gcm': STRONG, chacha20: STRONG, 'aes-cbc': STRONG, camellia: STRONG };

/**
 * SSLv3 CBC is open to POODLE, so RC4 stands above it. At TLS 1.0 RC4 stands above 3DES: Exchange 2003 and its kin
 * truncate data under 3DES (Microsoft KB 938857), and CBC is open to BEAST. Later versions repair CBC, not RC4.
 */
const FAMILY_TIERS = {
  ssl3: { ...strong, rc4: -1, '3des': 1, des: 3 },
  tls10: { ...strong, rc4: 1, '3des': 2, des: 3 },
  later: { ...strong, '3des': 1, rc4: 2, des: 3 },
} as const satisfies Record<string, FamilyTiers>;

const CIPHER_ORDER = [
  'AES128-GCM-SHA256',
  'CHACHA20-POLY1305',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
  'AES256-SHA384',
  'AES128-SHA',
  'AES256-SHA',
  'CAMELLIA128-SHA256',
  'CAMELLIA256-SHA256',
  'CAMELLIA256-SHA384',
  'CAMELLIA128-SHA',
  'CAMELLIA256-SHA',
];

const CIPHER_RANKS = new Map(
  CIPHER_SUITES.map(({ id, opensslName }) => [
    id,
    CIPHER_ORDER.indexOf(opensslName.replace(/^(ECDHE|DHE)-(RSA|ECDSA)-/, '')),
  ]),
);
