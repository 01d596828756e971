/**
 * A private authority and two certificates for one name in a folder: one for old clients and one for modern clients.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { authority, issued, makeRsaKey, type Digest } from './certificate-maker.js';
import { writeWhole } from './whole-file.js';

export interface PairRequest {
  readonly names: readonly [string, ...string[]];
  readonly days: number;
  /** A group that may read the keys of the certificates; undefined for the owner alone. */
  readonly gid: number | undefined;
}

export interface CertificatePair {
  /** Signed with SHA-1, for `use = "legacy"`. */
  readonly legacy: PairFiles;
  /** Signed with SHA-256. */
  readonly modern: PairFiles;
  /** For clients that verify certificates: the same authority, signed with SHA-1 and with SHA-256. */
  readonly authorities: { readonly sha1: string; readonly sha256: string };
}

export interface PairFiles {
  readonly chain: string;
  readonly key: string;
}

/** Paths of the files of a pair. */
export function pairIn(folder: string): CertificatePair {
  const files = (kind: string): PairFiles => ({
    chain: join(folder, `${kind}.crt`),
    key: join(folder, `${kind}.key`),
  });
  return {
    legacy: files('legacy'),
    modern: files('modern'),
    authorities: { sha1: join(folder, 'ca-sha1.crt'), sha256: join(folder, 'ca.crt') },
  };
}

/**
 * Makes both certificates, each with a new key. An existing authority is kept, so that clients that trust it need no
 * change.
 * @throws system errors
 */
export function makePair(folder: string, { names, days, gid }: PairRequest): CertificatePair {
  const pair = pairIn(folder);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const caKey = authorityKey(folder, pair);
  const certify = ({ chain, key }: PairFiles, digest: Digest): void => {
    const made = issued(makeRsaKey(), { names, days, digest }, { name: AUTHORITY_NAME, keyPem: caKey });
    writeWhole(key, made.keyPem, gid === undefined ? 0o600 : 0o640, gid);
    writeWhole(chain, made.pem + readFileSync(pair.authorities[digest], 'latin1'), 0o644);
  };
  certify(pair.legacy, 'sha1');
  certify(pair.modern, 'sha256');
  return pair;
}

function authorityKey(folder: string, { authorities }: CertificatePair): string {
  const path = join(folder, 'ca.key');
  if (existsSync(path)) return readFileSync(path, 'latin1');
  const keyPem = makeRsaKey();
  writeWhole(path, keyPem, 0o600);
  for (const digest of ['sha1', 'sha256'] as const) {
    writeWhole(authorities[digest], authority(AUTHORITY_NAME, keyPem, AUTHORITY_DAYS, digest).pem, 0o644);
  }
  return keyPem;
}

const AUTHORITY_NAME = 'oldhello private CA';
const AUTHORITY_DAYS = 3650;
