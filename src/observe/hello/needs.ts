/**
 * What a client needs that current TLS libraries lack, or have only when configured. Read from the hello, so it covers
 * refused clients too. A suite does not count if the hello lists it but the version or the certificate excludes it.
 */
import {
  CIPHER_SUITE_BY_ID,
  ExtensionType,
  ProtocolVersion,
  TLS_1_3,
  type CipherFamily,
  type CipherSuite,
  type ClientHello,
} from '../../tls/index.js';
import { numbers, offeredVersion } from './hello-numbers.js';

/** Every code of `hello.needs`, with its meaning. */
export const NEEDS = {
  sslv2_hello: 'sends an SSLv2-format hello, which Go, rustls and OpenSSL 4 refuse',
  sslv3: 'offers nothing newer than SSLv3, which Go, rustls and usual builds of OpenSSL do not have',
  tls1_0: 'offers nothing newer than TLS 1.0: rustls does not have it, Go and OpenSSL 3 only when configured',
  tls1_1: 'offers nothing newer than TLS 1.1: rustls does not have it, Go and OpenSSL 3 only when configured',
  rc4: 'needs RC4, which rustls and usual builds of OpenSSL do not have',
  '3des': 'needs 3DES, which rustls and usual builds of OpenSSL do not have',
  rc4_or_3des: 'needs RC4 or 3DES, which rustls and usual builds of OpenSSL do not have',
  des: 'needs single DES, which no current TLS library has',
  static_rsa: 'supports only static RSA key exchange: rustls does not have it, Go only when configured',
  dhe: 'supports only DHE key exchange, which Go and rustls do not have',
  no_ecdhe:
    'supports only DHE and static RSA, not ECDHE: rustls has neither, Go only static RSA and when configured',
  sha1_signature:
    'supports forward secrecy only with SHA-1 or MD5 signatures, which OpenSSL 3 does not make at its default security level',
  unserved_suites: 'offers no cipher suite that oldhello has',
} as const satisfies Record<string, string>;

export type Need = keyof typeof NEEDS;

/**
 * @param chosen OpenSSL's name of the negotiated suite. It shows which kind of certificate the client accepts, so
 * suites for the other kind do not count.
 * @returns none for a client that supports TLS 1.3, or forward secrecy with TLS 1.2
 */
export function needsOf(hello: ClientHello, chosen?: string): Need[] {
  const version = offeredVersion(hello);
  const needs: Need[] = hello.format === 'sslv2' ? ['sslv2_hello'] : [];
  if (version >= TLS_1_3) return needs;
  const ofVersion = VERSION_NEEDS.get(version);
  if (ofVersion !== undefined) needs.push(ofVersion);
  const suites = servable(hello, version, chosen);
  if (suites.length === 0) return [...needs, 'unserved_suites'];
  const ofCipher = cipherNeed(suites);
  if (ofCipher !== undefined) needs.push(ofCipher);
  const ofKeyExchange = keyExchangeNeed(suites);
  if (ofKeyExchange !== undefined) needs.push(ofKeyExchange);
  if (version === ProtocolVersion['TLSv1.2'] && needsSha1(hello, suites)) needs.push('sha1_signature');
  return needs;
}

function servable({ cipherSuites }: ClientHello, version: number, chosen: string | undefined): CipherSuite[] {
  const offered: CipherSuite[] = [];
  for (const id of cipherSuites) {
    const suite = CIPHER_SUITE_BY_ID.get(id);
    if (suite !== undefined && suite.minVersion <= version) offered.push(suite);
  }
  const authentication = offered.find(({ opensslName }) => opensslName === chosen)?.authentication;
  return authentication === undefined
    ? offered
    : offered.filter((suite) => suite.authentication === authentication);
}

/** Single DES is off by default, so it is no alternative to RC4 or 3DES. */
function cipherNeed(suites: readonly CipherSuite[]): Need | undefined {
  const families = new Set<CipherFamily>(suites.map(({ family }) => family));
  if (families.size === 1 && families.has('des')) return 'des';
  families.delete('des');
  const weak = [...families].every((family) => family === 'rc4' || family === '3des');
  if (!weak) return undefined;
  if (families.size === 2) return 'rc4_or_3des';
  return families.has('rc4') ? 'rc4' : '3des';
}

function keyExchangeNeed(suites: readonly CipherSuite[]): Need | undefined {
  const has = (wanted: CipherSuite['keyExchange']): boolean =>
    suites.some(({ keyExchange }) => keyExchange === wanted);
  if (has('ecdhe')) return undefined;
  if (!has('dhe')) return 'static_rsa';
  return has('rsa') ? 'no_ecdhe' : 'dhe';
}

/** RFC 5246, 7.4.1.4.1: SHA-1 without the extension. A client with static RSA does not need a signature. */
function needsSha1({ extensions }: ClientHello, suites: readonly CipherSuite[]): boolean {
  if (suites.some(({ keyExchange }) => keyExchange === 'rsa')) return false;
  const schemes = numbers(extensions?.get(ExtensionType.signature_algorithms), 2, 2);
  return schemes.every((scheme) => SHA1_OR_MD5.has(scheme >> 8));
}

/** HashAlgorithm of RFC 5246, 7.4.1.4.1. */
const SHA1_OR_MD5 = new Set([1, 2]);

const VERSION_NEEDS = new Map<number, Need>([
  [ProtocolVersion.SSLv3, 'sslv3'],
  [ProtocolVersion.TLSv1, 'tls1_0'],
  [ProtocolVersion['TLSv1.1'], 'tls1_1'],
]);
