/**
 * The server's order of preference, which depends on what the hello shows of the client's age. In words: forward secrecy
 * where it is known to work, plain RSA with a good cipher before a guess, and RC4 and 3DES only for those that offer
 * nothing else.
 */
import { CIPHER_SUITE_BY_ID, CIPHER_SUITES, type CipherFamily, type CipherSuite } from '../cipher-suites.js';
import { isFiniteFieldGroup, ProtocolVersion } from '../code-points.js';
import type { Offer } from '../hello/offer.js';

/** The place of a suite by one criterion: the lower, the better. */
type Rank = (suite: CipherSuite) => number;

/** The first criterion by which two suites differ decides. */
const CRITERIA: readonly ((offer: Offer, version: ProtocolVersion) => Rank)[] = [
  cipherStrength,
  safeKeyExchange,
  cipher,
  ecdsaBeforeRsa,
];

/** A comparator: the better suite first. */
export function compareSuites(offer: Offer, version: ProtocolVersion) {
  const ranks = CRITERIA.map((criterion) => criterion(offer, version));
  return (a: CipherSuite, b: CipherSuite): number => {
    for (const rank of ranks) {
      const difference = rank(a) - rank(b);
      if (difference !== 0) return difference;
    }
    return a.id - b.id;
  };
}

function cipherStrength(_offer: Offer, version: ProtocolVersion): Rank {
  const order = STRENGTHS.get(version) ?? STRENGTHS_OF_LATER_VERSIONS;
  return ({ family }) => order.findIndex((families) => families.includes(family));
}

const STRONG: readonly CipherFamily[] = ['aes-gcm', 'chacha20', 'aes-cbc', 'camellia'];

/** TLS 1.1 and 1.2 repair CBC, and not RC4. */
const STRENGTHS_OF_LATER_VERSIONS: readonly (readonly CipherFamily[])[] = [
  STRONG,
  ['3des'],
  ['rc4'],
  ['des'],
];

const STRENGTHS = new Map<ProtocolVersion, readonly (readonly CipherFamily[])[]>([
  // SSLv3 CBC is open to POODLE.
  [ProtocolVersion.SSLv3, [['rc4'], STRONG, ['3des'], ['des']]],
  // Exchange 2003 and its kin truncate data under 3DES (Microsoft KB 938857), and CBC is open to BEAST.
  [ProtocolVersion.TLSv1, [STRONG, ['rc4'], ['3des'], ['des']]],
]);

/** Forward secrecy stands before plain RSA where the hello shows that it works, and behind it where that is a guess. */
function safeKeyExchange(offer: Offer, version: ProtocolVersion): Rank {
  const order: CipherSuite['keyExchange'][] = [];
  if (knowsCurves(offer)) order.push('ecdhe');
  if (knowsLongDhGroups(offer, version)) order.push('dhe');
  order.push('rsa', 'ecdhe', 'dhe');
  return ({ keyExchange }) => order.indexOf(keyExchange);
}

/** An SSLv2-format hello cannot name curves; what lists ECDHE in one (JSSE, OpenSSL 1.0.1) knows P-256. */
function knowsCurves({ hello, extensions }: Offer): boolean {
  return extensions.supportedGroups !== undefined || hello.format === 'sslv2';
}

/** Java 6 and 7 fail with more than 1024 bits without an alert; only a modern offer shows that DHE is safe. */
function knowsLongDhGroups({ extensions }: Offer, version: ProtocolVersion): boolean {
  if (extensions.supportedGroups?.some(isFiniteFieldGroup) === true) return true;
  return version === ProtocolVersion['TLSv1.2'] && extensions.signatureAlgorithms !== undefined;
}

/** ChaCha20 goes first for a client that puts it first: it has no AES instructions. */
function cipher({ hello }: Offer): Rank {
  const firstAead = hello.cipherSuites.find((id) => CIPHER_SUITE_BY_ID.get(id)?.bulk.kind === 'aead');
  const chachaFirst = firstAead !== undefined && CIPHER_SUITE_BY_ID.get(firstAead)?.family === 'chacha20';
  return ({ id, family }) => (chachaFirst && family === 'chacha20' ? -1 : CIPHER_RANKS.get(id)!);
}

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
  'DES-CBC3-SHA',
  'RC4-SHA',
  'RC4-MD5',
  'DES-CBC-SHA',
];

const CIPHER_RANKS = new Map(
  CIPHER_SUITES.map(({ id, opensslName }) => [
    id,
    CIPHER_ORDER.indexOf(opensslName.replace(/^(ECDHE|DHE|EDH)-(RSA|ECDSA)-/, '')),
  ]),
);

function ecdsaBeforeRsa(): Rank {
  return ({ authentication }) => (authentication === 'ecdsa' ? 0 : 1);
}
