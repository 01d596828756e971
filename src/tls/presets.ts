/**
 * Three named sets of what may be negotiated. `legacy` is for a public mail port, where the alternative to old TLS is
 * clear text; `intermediate` for those who would rather have clear text than SHA-1 and CBC of TLS 1.0; `ancient` for
 * networks of equipment that has nothing else.
 */
import { CIPHER_SUITES, type CipherSuite } from './cipher-suites.js';
import { NamedGroup, ProtocolVersion } from './code-points.js';
import type { ServerParameters } from './server-parameters.js';

export type PresetName = keyof typeof PRESETS;

/** The part of ServerParameters that decides what may be negotiated. */
export type Policy = Pick<
  ServerParameters,
  | 'minVersion'
  | 'maxVersion'
  | 'cipherSuites'
  | 'groups'
  | 'sha1Signatures'
  | 'sslv2Hello'
  | 'tolerateKeyExchangeBugs'
  | 'largeRecords'
  | 'recordSplitting'
  | 'smallBlockLimit'
>;

const suites = (wanted: (suite: CipherSuite) => boolean): readonly CipherSuite[] =>
  CIPHER_SUITES.filter(wanted);

/** P-384 costs ten times as much as the others, so it is for clients that have only it; P-521 twice that again. */
const groups = [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1];

/** 2^27 blocks of 64 bits, at which two equal ones are still unlikely (about 2^-11). */
const SMALL_BLOCK_LIMIT_BYTES = 2 ** 30;

export const PRESETS = {
  intermediate: {
    minVersion: ProtocolVersion['TLSv1.2'],
    maxVersion: ProtocolVersion['TLSv1.2'],
    cipherSuites: suites(({ bulk, keyExchange }) => bulk.kind === 'aead' && keyExchange === 'ecdhe'),
    groups,
    sha1Signatures: false,
    sslv2Hello: false,
    tolerateKeyExchangeBugs: false,
    largeRecords: false,
    recordSplitting: false,
    smallBlockLimit: SMALL_BLOCK_LIMIT_BYTES,
  },
  legacy: {
    minVersion: ProtocolVersion['TLSv1'],
    maxVersion: ProtocolVersion['TLSv1.2'],
    cipherSuites: suites(({ family }) => family !== 'des'),
    groups,
    sha1Signatures: true,
    sslv2Hello: true,
    tolerateKeyExchangeBugs: false,
    largeRecords: false,
    recordSplitting: false,
    smallBlockLimit: SMALL_BLOCK_LIMIT_BYTES,
  },
  ancient: {
    minVersion: ProtocolVersion.SSLv3,
    maxVersion: ProtocolVersion['TLSv1.2'],
    cipherSuites: suites(({ family }) => family !== 'des'),
    groups,
    sha1Signatures: true,
    sslv2Hello: true,
    tolerateKeyExchangeBugs: true,
    largeRecords: true,
    recordSplitting: false,
    smallBlockLimit: SMALL_BLOCK_LIMIT_BYTES,
  },
} as const satisfies Record<string, Policy>;
