/** The kinds of clients that a probe imitates, one row each. */
import { generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import {
  CIPHER_SUITES,
  ExtensionType,
  NamedGroup,
  ProtocolVersion,
  TLS_1_3,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
} from '../tls/index.js';
import { RSA_PSS_SCHEMES, SignatureScheme, TLS_1_3_SUITES, Writer } from '../tls/wire-format.js';
import type { HelloRecipe } from './hello-builder.js';

export interface ProbedClient {
  /** Software that sends such hellos. */
  readonly title: string;
  /** False for modern clients, which every server should serve. */
  readonly old: boolean;
  /** The strictest profile of oldhello that serves it. */
  readonly profile: 'intermediate' | 'legacy' | 'ancient';
  /** @param host for the server name extension, if the client sends it */
  readonly hello: (host: string) => HelloRecipe;
}

const { SSLv3, TLSv1, 'TLSv1.1': TLSv11, 'TLSv1.2': TLSv12 } = ProtocolVersion;

/** @param opensslName of a suite in the engine's table */
function idOf(opensslName: string): number {
  return CIPHER_SUITES.find((suite) => suite.opensslName === opensslName)!.id;
}

const RC4_MD5 = idOf('RC4-MD5');
const RC4_SHA = idOf('RC4-SHA');
const TRIPLE_DES = idOf('DES-CBC3-SHA');
const AES_128 = idOf('AES128-SHA');
const AES_256 = idOf('AES256-SHA');
const DHE_AES_128 = idOf('DHE-RSA-AES128-SHA');
const DHE_AES_256 = idOf('DHE-RSA-AES256-SHA');
const DHE_3DES = idOf('DHE-RSA-DES-CBC3-SHA');
const ECDHE_AES_128 = idOf('ECDHE-RSA-AES128-SHA');
const ECDHE_AES_256 = idOf('ECDHE-RSA-AES256-SHA');
const ECDHE_ECDSA_AES_128 = idOf('ECDHE-ECDSA-AES128-SHA');
const SCSV = TLS_EMPTY_RENEGOTIATION_INFO_SCSV;
/** Kinds of SSL 2.0, which such hellos contain for servers with SSL 2.0 only. */
const SSL2_RC4 = 0x010080;
const SSL2_3DES = 0x0700c0;

const STATIC_RSA = [AES_128, AES_256, TRIPLE_DES, RC4_SHA, RC4_MD5];
const OF_2005 = [DHE_AES_256, AES_256, DHE_AES_128, AES_128, DHE_3DES, TRIPLE_DES, RC4_SHA, RC4_MD5, SCSV];
const ECDHE_AND_GCM = [
  ...[
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].map(idOf),
  ECDHE_AES_128,
  ECDHE_AES_256,
];

const sslv2 = (version: number) => (): HelloRecipe => ({
  format: 'sslv2',
  version,
  suites: [RC4_MD5, SSL2_RC4, RC4_SHA, AES_128, AES_256, DHE_AES_128, TRIPLE_DES, SSL2_3DES, SCSV],
});
const plain = (version: number, suites: readonly number[]) => (): HelloRecipe => ({
  format: 'record',
  version,
  suites,
});

const list16 = (values: readonly number[]): Buffer =>
  new Writer().vector16((list) => values.forEach((value) => list.u16(value))).done();
const groups: [number, Buffer] = [
  ExtensionType.supported_groups,
  list16([NamedGroup.x25519, NamedGroup.secp256r1]),
];
const pointFormats: [number, Buffer] = [ExtensionType.ec_point_formats, Buffer.from([1, 0])];
/** RSA and ECDSA with SHA-256 to SHA-512, rsa_pss_rsae among them (RFC 8446, 4.2.3). */
const signatures: [number, Buffer] = [
  ExtensionType.signature_algorithms,
  list16([
    SignatureScheme.ecdsa_secp256r1_sha256,
    RSA_PSS_SCHEMES.rsa_pss_rsae_sha256,
    SignatureScheme.rsa_pkcs1_sha256,
    SignatureScheme.ecdsa_secp384r1_sha384,
    RSA_PSS_SCHEMES.rsa_pss_rsae_sha384,
    SignatureScheme.rsa_pkcs1_sha384,
    RSA_PSS_SCHEMES.rsa_pss_rsae_sha512,
    SignatureScheme.rsa_pkcs1_sha512,
  ]),
];

/** RFC 6066, 3: names only, no addresses. */
function serverName(host: string): [number, Buffer][] {
  if (isIP(host) !== 0) return [];
  const body = new Writer().vector16((list) => {
    list.u8(0).vector16((name) => name.bytes(Buffer.from(host, 'latin1')));
  });
  return [[ExtensionType.server_name, body.done()]];
}

/** RFC 8446, 4.2.8: a new key, whose private half is dropped. */
function keyShare(): [number, Buffer] {
  const { publicKey } = generateKeyPairSync('x25519');
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-X25519_LENGTH);
  const body = new Writer().vector16((shares) => {
    shares.u16(NamedGroup.x25519).vector16((share) => share.bytes(key));
  });
  return [KEY_SHARE, body.done()];
}

export const PROBED_CLIENTS = {
  sslv2_sslv3: {
    title: 'the oldest Java mailers and SSL libraries of the nineties (SSLv2-format hello, SSLv3)',
    old: true,
    profile: 'ancient',
    hello: sslv2(SSLv3),
  },
  sslv2_tls1_0: {
    title: 'old Java mailers, OpenSSL up to 0.9.8 (SSLv2-format hello, TLS 1.0)',
    old: true,
    profile: 'legacy',
    hello: sslv2(TLSv1),
  },
  sslv2_tls1_2: {
    title: 'Java 7 and 8 and OpenSSL 1.0.1 with old settings (SSLv2-format hello, TLS 1.2)',
    old: true,
    profile: 'legacy',
    hello: sslv2(TLSv12),
  },
  sslv3: {
    title: 'clients that stopped at SSLv3',
    old: true,
    profile: 'ancient',
    hello: plain(SSLv3, OF_2005),
  },
  tls1_0: {
    title: 'clients that stopped at TLS 1.0',
    old: true,
    profile: 'legacy',
    hello: plain(TLSv1, OF_2005),
  },
  tls1_0_rc4: {
    title: 'TLS 1.0 with nothing but RC4 (Windows XP and 2003, old printers)',
    old: true,
    profile: 'legacy',
    hello: plain(TLSv1, [RC4_MD5, RC4_SHA]),
  },
  tls1_0_3des: {
    title: 'TLS 1.0 with nothing but 3DES',
    old: true,
    profile: 'legacy',
    hello: plain(TLSv1, [TRIPLE_DES, DHE_3DES]),
  },
  tls1_1: {
    title: 'clients that stopped at TLS 1.1',
    old: true,
    profile: 'legacy',
    hello: plain(TLSv11, OF_2005),
  },
  tls1_2_static_rsa: {
    title: 'TLS 1.2 with static RSA and no extensions (scanners and printers of 2012)',
    old: true,
    profile: 'legacy',
    hello: plain(TLSv12, STATIC_RSA),
  },
  tls1_2_without_signatures: {
    title: 'TLS 1.2 with ECDHE and without signature_algorithms',
    old: true,
    profile: 'legacy',
    hello: () => ({
      format: 'record',
      version: TLSv12,
      suites: [ECDHE_AES_128, ECDHE_AES_256, ECDHE_ECDSA_AES_128, SCSV],
      extensions: [groups, pointFormats],
    }),
  },
  tls1_2: {
    title: 'clients of 2015 (TLS 1.2, forward secrecy)',
    old: false,
    profile: 'intermediate',
    hello: (host) => ({
      format: 'record',
      version: TLSv12,
      suites: [...ECDHE_AND_GCM, SCSV],
      extensions: [...serverName(host), groups, pointFormats, signatures],
    }),
  },
  tls1_3: {
    title: 'clients of today (TLS 1.3)',
    old: false,
    profile: 'intermediate',
    hello: (host) => ({
      format: 'record',
      version: TLSv12,
      suites: [...Object.values(TLS_1_3_SUITES), ...ECDHE_AND_GCM],
      extensions: [
        ...serverName(host),
        groups,
        pointFormats,
        signatures,
        [ExtensionType.supported_versions, Buffer.from([4, TLS_1_3 >> 8, TLS_1_3 & 0xff, 3, 3])],
        keyShare(),
      ],
    }),
  },
} as const satisfies Record<string, ProbedClient>;

export type ProbedClientCode = keyof typeof PROBED_CLIENTS;

/** RFC 8446, 4.2. */
const KEY_SHARE = 51;
/** Bytes. */
const X25519_LENGTH = 32;
