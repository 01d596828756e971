/** What differs between SSLv3 and TLS 1.2, one row a version, chosen once and then called. */
import type { AlertName } from '../alert.js';
import type { CipherSuite, PrfHash } from '../cipher-suites.js';
import { ProtocolVersion } from '../code-points.js';
import { prfTls10, prfTls12 } from '../crypto/prf.js';
import { ssl3Expand, ssl3VerifyData } from '../crypto/ssl3.js';
import { MASTER_SECRET_LENGTH } from '../session/session.js';
import type { Transcript } from './transcript.js';

export type Sender = 'client' | 'server';

export interface VersionRules {
  readonly version: ProtocolVersion;
  /** Algorithms of the running handshake hash. */
  transcriptAlgorithms(suite: CipherSuite): readonly string[];
  /** RFC 5246, 8.1; RFC 6101, 6.1. `seed` is ClientHello.random and ServerHello.random. */
  masterSecret(suite: CipherSuite, premasterSecret: Buffer, seed: Buffer): Buffer;
  /** RFC 7627, 4; undefined for SSLv3, which has no extensions (RFC 7627, 6.4). */
  readonly extendedMasterSecret:
    ((suite: CipherSuite, premasterSecret: Buffer, sessionHash: Buffer) => Buffer) | undefined;
  /** RFC 5246, 6.3; RFC 6101, 6.2.2. `seed` is ServerHello.random and ClientHello.random. */
  keyBlock(suite: CipherSuite, masterSecret: Buffer, seed: Buffer, length: number): Buffer;
  /** The content of Finished over everything in the transcript so far. */
  verifyData(suite: CipherSuite, masterSecret: Buffer, transcript: Transcript, sender: Sender): Buffer;
}

export function versionRules(version: ProtocolVersion): VersionRules {
  return RULES.get(version)!;
}

/** RFC 6101, 5.4: SSLv3 has few alerts; of ours, the newer ones become the nearest of them, as OpenSSL maps them. */
const SSL3_ALERTS: Partial<Record<AlertName, AlertName>> = {
  record_overflow: 'bad_record_mac',
  decode_error: 'handshake_failure',
  decrypt_error: 'handshake_failure',
  protocol_version: 'handshake_failure',
  insufficient_security: 'handshake_failure',
  internal_error: 'handshake_failure',
  no_renegotiation: 'handshake_failure',
};

/** The alert to send where `alert` is meant; until a version is agreed on, those of TLS are. */
export function knownAlert(alert: AlertName, version: ProtocolVersion | undefined): AlertName {
  return version === ProtocolVersion.SSLv3 ? (SSL3_ALERTS[alert] ?? alert) : alert;
}

const ssl3: VersionRules = {
  version: ProtocolVersion.SSLv3,
  transcriptAlgorithms: () => ['md5', 'sha1'],
  masterSecret: (_suite, premasterSecret, seed) => ssl3Expand(premasterSecret, seed, MASTER_SECRET_LENGTH),
  extendedMasterSecret: undefined,
  keyBlock: (_suite, masterSecret, seed, length) => ssl3Expand(masterSecret, seed, length),
  verifyData(_suite, masterSecret, transcript, sender) {
    const [md5, sha1] = transcript.hashes();
    return ssl3VerifyData(masterSecret, md5!, sha1!, sender);
  },
};

type Prf = (suite: CipherSuite, secret: Buffer, label: string, seed: Buffer, length: number) => Buffer;

function tls(
  version: ProtocolVersion,
  prf: Prf,
  transcriptAlgorithms: (suite: CipherSuite) => readonly string[],
): VersionRules {
  return {
    version,
    transcriptAlgorithms,
    masterSecret: (suite, premasterSecret, seed) =>
      prf(suite, premasterSecret, 'master secret', seed, MASTER_SECRET_LENGTH),
    extendedMasterSecret: (suite, premasterSecret, sessionHash) =>
      prf(suite, premasterSecret, 'extended master secret', sessionHash, MASTER_SECRET_LENGTH),
    keyBlock: (suite, masterSecret, seed, length) => prf(suite, masterSecret, 'key expansion', seed, length),
    verifyData: (suite, masterSecret, transcript, sender) =>
      prf(suite, masterSecret, `${sender} finished`, transcript.digest(), TLS_VERIFY_DATA_LENGTH),
  };
}

const md5AndSha1: Prf = (_suite, secret, label, seed, length) => prfTls10(secret, label, seed, length);
const suiteHash: Prf = (suite, secret, label, seed, length) =>
  prfTls12(suite.prf, secret, label, seed, length);

const RULES = new Map<ProtocolVersion, VersionRules>(
  [
    ssl3,
    tls(ProtocolVersion['TLSv1'], md5AndSha1, () => ['md5-sha1']),
    tls(ProtocolVersion['TLSv1.1'], md5AndSha1, () => ['md5-sha1']),
    tls(ProtocolVersion['TLSv1.2'], suiteHash, (suite): PrfHash[] => [suite.prf]),
  ].map((rules) => [rules.version, rules]),
);

/** Bytes; SSLv3 has 36 instead (RFC 6101, 5.6.9). */
const TLS_VERIFY_DATA_LENGTH = 12;
