/**
 * What a client could not have had elsewhere: what it takes to serve its hello that the TLS libraries of today no longer
 * have, or have only when asked. Read from the hello, so it holds for refused clients too. A suite that the hello lists
 * but that its version or the certificate rules out does not count.
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

/** Every code that can stand in `hello.needs`, and what it says of the client. */
export const NEEDS = {
  sslv2_hello: 'opens with an SSLv2-format hello: Go, rustls and OpenSSL 4 refuse it',
  sslv3: 'offers nothing newer than SSLv3: no usual build of OpenSSL serves it, nor do Go and rustls',
  tls1_0: 'offers nothing newer than TLS 1.0: rustls has none, Go and OpenSSL 3 serve it only when told to',
  tls1_1: 'offers nothing newer than TLS 1.1: rustls has none, Go and OpenSSL 3 serve it only when told to',
  rc4: 'needs RC4: no usual build of OpenSSL serves it, nor does rustls',
  '3des': 'needs 3DES: no usual build of OpenSSL serves it, nor does rustls',
  rc4_or_3des: 'needs RC4 or 3DES: no usual build of OpenSSL serves either, nor does rustls',
  des: 'needs single DES, which no TLS library of today serves',
  static_rsa: 'can use only static RSA key exchange: rustls has none, Go serves it only when told to',
  dhe: 'can use only DHE key exchange: Go and rustls have none',
  no_ecdhe:
    'can use only DHE and static RSA, not ECDHE: rustls has neither, Go only the latter and when told to',
  sha1_signature:
    'has forward secrecy only with SHA-1 or MD5 signatures: OpenSSL 3 makes none at its usual security level',
  unserved_suites: 'offers no cipher suite that oldhello knows',
} as const satisfies Record<string, string>;

export type Need = keyof typeof NEEDS;

/**
 * @param chosen the suite that was agreed on, by OpenSSL's name. It tells which kind of certificate serves this client,
 *   so what the hello offers for the other kind is no way out.
 * @returns none for whoever can do TLS 1.3 or forward secrecy at TLS 1.2
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

/** Single DES is off unless switched on, so beside RC4 or 3DES it is no way out. */
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

/** RFC 5246, 7.4.1.4.1: without the extension it is SHA-1. A client with static RSA does not need a signature. */
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
