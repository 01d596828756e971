/**
 * Checks at the start that the OpenSSL of this machine can compute everything that a policy may negotiate. In FIPS mode
 * and under system-wide crypto policies, OpenSSL refuses MD5, signatures with SHA-1 and old ciphers only when they are
 * used: without this check, handshakes would fail one by one.
 */
import {
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  generateKeyPairSync,
  privateDecrypt,
  sign,
} from 'node:crypto';
import { NamedGroup, ProtocolVersion, type CipherFamily, type Policy } from '../tls/index.js';
import type { LoadedCredential } from './credentials.js';
import { keyName } from './certificate-info.js';

export interface Primitive {
  readonly name: string;
  readonly neededFor: string;
  /** The setting that avoids it; undefined if there is none. */
  readonly without: string | undefined;
  /** Throws where OpenSSL refuses. */
  readonly attempt: () => unknown;
}

/** @param credentials those that the engine uses @returns what `policy` needs and this machine refuses */
export function missingPrimitives(policy: Policy, credentials: readonly LoadedCredential[]): Primitive[] {
  const all = [
    ...hashes(policy),
    ...ciphers(policy),
    ...groups(policy),
    ...keyOperations(policy, credentials),
  ];
  return all.filter(({ attempt }) => isRefused(attempt));
}

/** One sentence for the administrator. */
export function explainMissing(missing: readonly Primitive[]): string {
  const settings = new Set(missing.map(({ without }) => without));
  const { node, openssl } = process.versions;
  const what = missing.map(({ name, neededFor }) => `${name} (for ${neededFor})`).join(', ');
  const instead = settings.has(undefined) ? '' : `set ${[...settings].join(' and ')}, or `;
  return (
    `the OpenSSL of this machine (${openssl}, in Node.js ${node}) refuses ${what}; ` +
    `${instead}allow it: leave FIPS mode, or set another system-wide crypto policy ` +
    `("update-crypto-policies --set LEGACY" where there is one)`
  );
}

function* hashes({ minVersion, cipherSuites }: Policy): Generator<Primitive> {
  if (minVersion < ProtocolVersion['TLSv1.2']) {
    const attempt = (): unknown => ['md5', 'sha1', 'md5-sha1'].map((name) => createHash(name).digest());
    yield { name: 'MD5 and SHA-1', neededFor: 'TLSv1.1 and older', without: NEWER_VERSIONS, attempt };
  }
  for (const algorithm of new Set(
    cipherSuites.flatMap(({ mac, prf }) => (mac === undefined ? [prf] : [mac, prf])),
  )) {
    yield {
      name: `HMAC with ${algorithm}`,
      neededFor: cipherSuites.find(({ mac, prf }) => mac === algorithm || prf === algorithm)!.opensslName,
      without: algorithm === 'md5' ? 'rc4 = false' : undefined,
      attempt: () => createHmac(algorithm, 'key').digest(),
    };
  }
}

function* ciphers({ cipherSuites }: Policy): Generator<Primitive> {
  const tried = new Set<string>();
  for (const { bulk, family, opensslName } of cipherSuites) {
    if (bulk.kind === 'stream' || tried.has(bulk.cipher)) continue;
    tried.add(bulk.cipher);
    // Single DES is triple DES with three equal keys.
    const [cipher, keyLength] =
      bulk.cipher === 'des-cbc' ? ['des-ede3-cbc', 24] : [bulk.cipher, bulk.keyLength];
    const ivLength = bulk.kind === 'cbc' ? bulk.blockLength : AEAD_NONCE_LENGTH;
    yield {
      name: cipher,
      neededFor: opensslName,
      without: WITHOUT_FAMILY[family],
      attempt: () =>
        createCipheriv(cipher as 'aes-128-gcm', Buffer.alloc(keyLength), Buffer.alloc(ivLength), TAG),
    };
  }
}

function* groups({ groups, cipherSuites }: Policy): Generator<Primitive> {
  if (!cipherSuites.some(({ keyExchange }) => keyExchange === 'ecdhe')) return;
  for (const group of groups) {
    const pair = KEY_PAIRS.get(group);
    if (pair !== undefined) yield { name: pair[0], neededFor: 'ECDHE', without: undefined, attempt: pair[1] };
  }
}

function* keyOperations(policy: Policy, credentials: readonly LoadedCredential[]): Generator<Primitive> {
  const { minVersion, maxVersion, cipherSuites, sha1Signatures } = policy;
  const old = minVersion < ProtocolVersion['TLSv1.2'];
  const signs = new Set(
    cipherSuites.filter((one) => one.keyExchange !== 'rsa').map((one) => one.authentication),
  );
  for (const { credential, key, source } of credentials) {
    const { authentication, modulusLength } = credential;
    const whose = `the ${keyName(key)} key of ${source}`;
    const signature = (hash: string, neededFor: string, without?: string): Primitive => ({
      name: `signatures with ${hash} by ${whose}`,
      neededFor,
      without,
      attempt: () => sign(hash, Buffer.alloc(1), key),
    });
    if (signs.has(authentication)) {
      const oldHash = authentication === 'rsa' ? 'md5-sha1' : 'sha1';
      if (old) yield signature(oldHash, 'TLSv1.1 and older', NEWER_VERSIONS);
      if (maxVersion === ProtocolVersion['TLSv1.2']) {
        yield signature('sha256', 'TLSv1.2');
        if (sha1Signatures) yield signature('sha1', 'TLSv1.2 with old clients', 'profile = "intermediate"');
      }
    }
    if (authentication === 'rsa' && cipherSuites.some(({ keyExchange }) => keyExchange === 'rsa')) {
      yield {
        name: `RSA without padding by ${whose}`,
        neededFor: 'plain RSA key exchange',
        without: 'profile = "intermediate"',
        attempt: () =>
          privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.alloc(modulusLength, 1)),
      };
    }
  }
}

function isRefused(use: () => unknown): boolean {
  try {
    use();
    return false;
  } catch {
    return true;
  }
}

const NEWER_VERSIONS = 'min-version = "TLSv1.2"';

/** The setting that switches a family off; the other CBC suites are not in profile "intermediate". */
const WITHOUT_FAMILY: Partial<Record<CipherFamily, string>> = {
  'aes-cbc': 'profile = "intermediate"',
  camellia: 'profile = "intermediate"',
  '3des': 'triple-des = false',
  des: 'single-des = false',
};

/** How to make a key pair of each curve. */
const KEY_PAIRS = new Map<NamedGroup, readonly [name: string, make: () => unknown]>([
  [NamedGroup.x25519, ['X25519', () => generateKeyPairSync('x25519')]],
  [NamedGroup.secp256r1, ['P-256', () => createECDH('prime256v1').generateKeys()]],
  [NamedGroup.secp384r1, ['P-384', () => createECDH('secp384r1').generateKeys()]],
]);

/** Bytes (RFC 5288, 3; RFC 7905, 2). */
const AEAD_NONCE_LENGTH = 12;
const TAG = { authTagLength: 16 };
