/** Cipher suites that neither the engine nor Node's TLS has, in kinds, each with the reason. */
import { CIPHER_SUITE_BY_ID, isSslv2CipherKind, type ClientHello } from '../../tls/index.js';
import { isTls13Suite } from '../../tls/wire-format.js';
import { isSuite } from './hello-numbers.js';
import { unservedSuiteName } from './suite-name.js';

interface UnservedKind {
  /** In the plural. */
  readonly name: string;
  readonly reason: string;
  /** Matches the registered name; the first row that matches counts. */
  readonly pattern?: RegExp;
}

/** The worst first, so that a suite gets its worst fault. */
const UNSERVED_KINDS: readonly UnservedKind[] = [
  { name: 'NULL suites', reason: 'they do not encrypt', pattern: /_WITH_NULL_/ },
  {
    name: 'EXPORT suites',
    reason: 'their keys of 40 or 56 bits are too short: anyone who records the traffic can decrypt it',
    pattern: /_EXPORT/,
  },
  {
    name: 'anonymous suites',
    reason: 'without a certificate, anyone on the way can read and change the traffic',
    pattern: /_anon_/,
  },
  {
    name: 'suites with a shared secret (PSK, SRP, Kerberos)',
    reason: 'client and server need the same secret beforehand',
    pattern: /_(?:PSK|SRP|KRB5)_/,
  },
  {
    name: 'DSS suites',
    reason: 'they need a certificate with a DSA key, which certificate authorities do not issue',
    pattern: /_DSS_/,
  },
  {
    name: 'suites with static Diffie-Hellman',
    reason: 'they need a certificate with a Diffie-Hellman key, which certificate authorities do not issue',
    pattern: /^TLS_(?:DH|ECDH)_/,
  },
  {
    name: 'suites with ciphers that oldhello does not have (IDEA, RC2, SEED and the like)',
    reason: 'all common clients that have them offer other suites too',
    pattern: /./,
  },
];
const SSLV2_KINDS: UnservedKind = {
  name: 'cipher kinds of SSL 2.0',
  reason: 'anyone on the way can break SSL 2.0',
};
const UNKNOWN_SUITES: UnservedKind = {
  name: 'suites without a registered name',
  reason: 'no registry lists them',
};

export interface UnservedOffer {
  /** "EXPORT suites and NULL suites" */
  readonly names: string;
  readonly reasons: string;
}

/** @returns undefined where the hello has a suite of the engine or of Node's TLS */
export function onlyUnserved({ cipherSuites, sslv2 }: ClientHello): UnservedOffer | undefined {
  const kinds = new Set<UnservedKind>();
  for (const id of cipherSuites) {
    if (!isSuite(id)) continue;
    if (isServed(id)) return undefined;
    kinds.add(kindOf(id));
  }
  if (sslv2?.cipherSpecs.some(isSslv2CipherKind) === true) kinds.add(SSLV2_KINDS);
  const rows = [...kinds];
  if (rows.length === 0) return undefined;
  return {
    names: rows.map(({ name }) => name).join(' and '),
    reasons: rows.map(({ name, reason }) => (rows.length === 1 ? reason : `${name}: ${reason}`)).join('; '),
  };
}

function isServed(id: number): boolean {
  return CIPHER_SUITE_BY_ID.has(id) || isTls13Suite(id);
}

function kindOf(id: number): UnservedKind {
  const name = unservedSuiteName(id);
  if (name === undefined) return UNKNOWN_SUITES;
  return UNSERVED_KINDS.find(({ pattern }) => pattern?.test(name))!;
}
