/**
 * Every cipher suite the engine can negotiate, one row each. Nothing else in the program lists suites: the record
 * layer, the key schedule, the presets, the configuration and the logs all read this table.
 *
 * Not here on principle: NULL, EXPORT, anonymous, Kerberos, PSK, static (EC)DH, DSS, RC2, IDEA, SEED.
 */
import { ProtocolVersion } from './code-points.js';

export type KeyExchange = 'rsa' | 'dhe' | 'ecdhe';
export type Authentication = 'rsa' | 'ecdsa';
export type MacAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha384';
export type PrfHash = 'sha256' | 'sha384';

/** Lengths are in bytes. `cipher` is node:crypto's name; RC4 and single DES are not in it and are ours. */
export type BulkCipher =
  | { readonly kind: 'stream'; readonly cipher: 'rc4'; readonly keyLength: 16 }
  | {
      readonly kind: 'cbc';
      readonly cipher: string;
      readonly keyLength: number;
      readonly blockLength: 8 | 16;
    }
  | {
      readonly kind: 'aead';
      readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
      readonly keyLength: 16 | 32;
      /** The part of the nonce that comes from the key block (RFC 5288, 3; RFC 7905, 2). */
      readonly fixedIvLength: 4 | 12;
      /** The part of the nonce that stands in front of each record. */
      readonly explicitNonceLength: 0 | 8;
    };

export type CipherFamily = 'aes-gcm' | 'chacha20' | 'aes-cbc' | 'camellia' | '3des' | 'rc4' | 'des';

export interface CipherSuite {
  readonly id: number;
  /** As in the registry: TLS_RSA_WITH_RC4_128_MD5. */
  readonly name: string;
  /** As OpenSSL prints it: RC4-MD5. */
  readonly opensslName: string;
  readonly keyExchange: KeyExchange;
  readonly authentication: Authentication;
  readonly family: CipherFamily;
  readonly bulk: BulkCipher;
  /** Absent for AEAD, which authenticates by itself. */
  readonly mac: MacAlgorithm | undefined;
  /** The hash of PRF, Finished and transcript in TLS 1.2; older versions have fixed hashes. */
  readonly prf: PrfHash;
  readonly minVersion: ProtocolVersion;
  readonly maxVersion: ProtocolVersion;
}

/** Bytes. */
export const MAC_LENGTHS = { md5: 16, sha1: 20, sha256: 32, sha384: 48 } as const satisfies Record<
  MacAlgorithm,
  number
>;

interface Protection {
  readonly family: CipherFamily;
  readonly bulk: BulkCipher;
  readonly mac?: MacAlgorithm;
  readonly prf?: PrfHash;
  readonly versions: readonly [ProtocolVersion, ProtocolVersion];
  readonly ianaName: string;
  readonly opensslName: string;
}

const { SSLv3, TLSv1: TLS10, 'TLSv1.1': TLS11, 'TLSv1.2': TLS12 } = ProtocolVersion;

const cbc = (cipher: string, keyLength: number, blockLength: 8 | 16): BulkCipher => ({
  kind: 'cbc',
  cipher,
  keyLength,
  blockLength,
});
const gcm = (bits: 128 | 256): BulkCipher => ({
  kind: 'aead',
  cipher: bits === 128 ? 'aes-128-gcm' : 'aes-256-gcm',
  keyLength: bits === 128 ? 16 : 32,
  fixedIvLength: 4,
  explicitNonceLength: 8,
});

/**
 * AES and Camellia are defined for TLS 1.0 and later (RFC 3268, RFC 5932), but every old stack that has them uses them
 * in SSLv3 too. Single DES ended with TLS 1.1 (RFC 5469).
 */
const PROTECTIONS = {
  'AES128-GCM': {
    family: 'aes-gcm',
    bulk: gcm(128),
    prf: 'sha256',
    versions: [TLS12, TLS12],
    ianaName: 'AES_128_GCM_SHA256',
    opensslName: 'AES128-GCM-SHA256',
  },
  'AES256-GCM': {
    family: 'aes-gcm',
    bulk: gcm(256),
    prf: 'sha384',
    versions: [TLS12, TLS12],
    ianaName: 'AES_256_GCM_SHA384',
    opensslName: 'AES256-GCM-SHA384',
  },
  CHACHA20: {
    family: 'chacha20',
    bulk: {
      kind: 'aead',
      cipher: 'chacha20-poly1305',
      keyLength: 32,
      fixedIvLength: 12,
      explicitNonceLength: 0,
    },
    prf: 'sha256',
    versions: [TLS12, TLS12],
    ianaName: 'CHACHA20_POLY1305_SHA256',
    opensslName: 'CHACHA20-POLY1305',
  },
  'AES128-SHA256': {
    family: 'aes-cbc',
    bulk: cbc('aes-128-cbc', 16, 16),
    mac: 'sha256',
    versions: [TLS12, TLS12],
    ianaName: 'AES_128_CBC_SHA256',
    opensslName: 'AES128-SHA256',
  },
  'AES256-SHA256': {
    family: 'aes-cbc',
    bulk: cbc('aes-256-cbc', 32, 16),
    mac: 'sha256',
    versions: [TLS12, TLS12],
    ianaName: 'AES_256_CBC_SHA256',
    opensslName: 'AES256-SHA256',
  },
  'AES256-SHA384': {
    family: 'aes-cbc',
    bulk: cbc('aes-256-cbc', 32, 16),
    mac: 'sha384',
    prf: 'sha384',
    versions: [TLS12, TLS12],
    ianaName: 'AES_256_CBC_SHA384',
    opensslName: 'AES256-SHA384',
  },
  'AES128-SHA': {
    family: 'aes-cbc',
    bulk: cbc('aes-128-cbc', 16, 16),
    mac: 'sha1',
    versions: [SSLv3, TLS12],
    ianaName: 'AES_128_CBC_SHA',
    opensslName: 'AES128-SHA',
  },
  'AES256-SHA': {
    family: 'aes-cbc',
    bulk: cbc('aes-256-cbc', 32, 16),
    mac: 'sha1',
    versions: [SSLv3, TLS12],
    ianaName: 'AES_256_CBC_SHA',
    opensslName: 'AES256-SHA',
  },
  'CAMELLIA128-SHA256': {
    family: 'camellia',
    bulk: cbc('camellia-128-cbc', 16, 16),
    mac: 'sha256',
    versions: [TLS12, TLS12],
    ianaName: 'CAMELLIA_128_CBC_SHA256',
    opensslName: 'CAMELLIA128-SHA256',
  },
  'CAMELLIA256-SHA256': {
    family: 'camellia',
    bulk: cbc('camellia-256-cbc', 32, 16),
    mac: 'sha256',
    versions: [TLS12, TLS12],
    ianaName: 'CAMELLIA_256_CBC_SHA256',
    opensslName: 'CAMELLIA256-SHA256',
  },
  'CAMELLIA256-SHA384': {
    family: 'camellia',
    bulk: cbc('camellia-256-cbc', 32, 16),
    mac: 'sha384',
    prf: 'sha384',
    versions: [TLS12, TLS12],
    ianaName: 'CAMELLIA_256_CBC_SHA384',
    opensslName: 'CAMELLIA256-SHA384',
  },
  'CAMELLIA128-SHA': {
    family: 'camellia',
    bulk: cbc('camellia-128-cbc', 16, 16),
    mac: 'sha1',
    versions: [SSLv3, TLS12],
    ianaName: 'CAMELLIA_128_CBC_SHA',
    opensslName: 'CAMELLIA128-SHA',
  },
  'CAMELLIA256-SHA': {
    family: 'camellia',
    bulk: cbc('camellia-256-cbc', 32, 16),
    mac: 'sha1',
    versions: [SSLv3, TLS12],
    ianaName: 'CAMELLIA_256_CBC_SHA',
    opensslName: 'CAMELLIA256-SHA',
  },
  '3DES-SHA': {
    family: '3des',
    bulk: cbc('des-ede3-cbc', 24, 8),
    mac: 'sha1',
    versions: [SSLv3, TLS12],
    ianaName: '3DES_EDE_CBC_SHA',
    opensslName: 'DES-CBC3-SHA',
  },
  'RC4-SHA': {
    family: 'rc4',
    bulk: { kind: 'stream', cipher: 'rc4', keyLength: 16 },
    mac: 'sha1',
    versions: [SSLv3, TLS12],
    ianaName: 'RC4_128_SHA',
    opensslName: 'RC4-SHA',
  },
  'RC4-MD5': {
    family: 'rc4',
    bulk: { kind: 'stream', cipher: 'rc4', keyLength: 16 },
    mac: 'md5',
    versions: [SSLv3, TLS12],
    ianaName: 'RC4_128_MD5',
    opensslName: 'RC4-MD5',
  },
  'DES-SHA': {
    family: 'des',
    bulk: cbc('des-cbc', 8, 8),
    mac: 'sha1',
    versions: [SSLv3, TLS11],
    ianaName: 'DES_CBC_SHA',
    opensslName: 'DES-CBC-SHA',
  },
} as const satisfies Record<string, Protection>;

type ProtectionName = keyof typeof PROTECTIONS;

function row(
  prefix: string,
  opensslPrefix: string,
  keyExchange: KeyExchange,
  authentication: Authentication,
) {
  return (id: number, protection: ProtectionName): CipherSuite => {
    const p: Protection = PROTECTIONS[protection];
    const ellipticFloor = keyExchange === 'ecdhe' ? TLS10 : SSLv3;
    return {
      id,
      name: `TLS_${prefix}_WITH_${p.ianaName}`,
      opensslName: opensslPrefix + p.opensslName,
      keyExchange,
      authentication,
      family: p.family,
      bulk: p.bulk,
      mac: p.mac,
      prf: p.prf ?? 'sha256',
      minVersion: p.versions[0] > ellipticFloor ? p.versions[0] : ellipticFloor,
      maxVersion: p.versions[1],
    };
  };
}

const rsa = row('RSA', '', 'rsa', 'rsa');
const dhe = row('DHE_RSA', 'DHE-RSA-', 'dhe', 'rsa');
const ecdheRsa = row('ECDHE_RSA', 'ECDHE-RSA-', 'ecdhe', 'rsa');
const ecdheEcdsa = row('ECDHE_ECDSA', 'ECDHE-ECDSA-', 'ecdhe', 'ecdsa');

/** All suites, by key exchange. The negotiation decides the order of preference, not this table. */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  ecdheEcdsa(0xc02b, 'AES128-GCM'),
  ecdheEcdsa(0xc02c, 'AES256-GCM'),
  ecdheEcdsa(0xcca9, 'CHACHA20'),
  ecdheEcdsa(0xc023, 'AES128-SHA256'),
  ecdheEcdsa(0xc024, 'AES256-SHA384'),
  ecdheEcdsa(0xc009, 'AES128-SHA'),
  ecdheEcdsa(0xc00a, 'AES256-SHA'),
  ecdheEcdsa(0xc072, 'CAMELLIA128-SHA256'),
  ecdheEcdsa(0xc073, 'CAMELLIA256-SHA384'),
  ecdheEcdsa(0xc008, '3DES-SHA'),
  ecdheEcdsa(0xc007, 'RC4-SHA'),
  ecdheRsa(0xc02f, 'AES128-GCM'),
  ecdheRsa(0xc030, 'AES256-GCM'),
  ecdheRsa(0xcca8, 'CHACHA20'),
  ecdheRsa(0xc027, 'AES128-SHA256'),
  ecdheRsa(0xc028, 'AES256-SHA384'),
  ecdheRsa(0xc013, 'AES128-SHA'),
  ecdheRsa(0xc014, 'AES256-SHA'),
  ecdheRsa(0xc076, 'CAMELLIA128-SHA256'),
  ecdheRsa(0xc077, 'CAMELLIA256-SHA384'),
  ecdheRsa(0xc012, '3DES-SHA'),
  ecdheRsa(0xc011, 'RC4-SHA'),
  dhe(0x009e, 'AES128-GCM'),
  dhe(0x009f, 'AES256-GCM'),
  dhe(0xccaa, 'CHACHA20'),
  dhe(0x0067, 'AES128-SHA256'),
  dhe(0x006b, 'AES256-SHA256'),
  dhe(0x0033, 'AES128-SHA'),
  dhe(0x0039, 'AES256-SHA'),
  dhe(0x00be, 'CAMELLIA128-SHA256'),
  dhe(0x00c4, 'CAMELLIA256-SHA256'),
  dhe(0x0045, 'CAMELLIA128-SHA'),
  dhe(0x0088, 'CAMELLIA256-SHA'),
  dhe(0x0016, '3DES-SHA'),
  dhe(0x0015, 'DES-SHA'),
  rsa(0x009c, 'AES128-GCM'),
  rsa(0x009d, 'AES256-GCM'),
  rsa(0x003c, 'AES128-SHA256'),
  rsa(0x003d, 'AES256-SHA256'),
  rsa(0x002f, 'AES128-SHA'),
  rsa(0x0035, 'AES256-SHA'),
  rsa(0x00ba, 'CAMELLIA128-SHA256'),
  rsa(0x00c0, 'CAMELLIA256-SHA256'),
  rsa(0x0041, 'CAMELLIA128-SHA'),
  rsa(0x0084, 'CAMELLIA256-SHA'),
  rsa(0x000a, '3DES-SHA'),
  rsa(0x0005, 'RC4-SHA'),
  rsa(0x0004, 'RC4-MD5'),
  rsa(0x0009, 'DES-SHA'),
];

export const CIPHER_SUITE_BY_ID: ReadonlyMap<number, CipherSuite> = new Map(
  CIPHER_SUITES.map((suite) => [suite.id, suite]),
);
