/**
 * The TLS for a client: Node's TLS or the backend's own for modern hellos that they support, and our engine for all
 * others, also for hellos that are refused. Pure.
 */
import {
  CIPHER_SUITES,
  decodeHelloExtensions,
  ProtocolVersion,
  TLS_1_3,
  TlsError,
  type Accepted,
  type Credential,
} from '../../tls/index.js';
import { RSA_PSS_SCHEMES, SignatureScheme, TLS_1_3_SUITES } from '../../tls/wire-format.js';
import { isNativeGroup } from './native-groups.js';

export type Path = 'engine' | 'native' | 'passthrough';

type Authentication = Credential['authentication'];

export interface RouteOptions {
  /** The key `modern` of the backend. */
  readonly modern: 'terminate' | 'engine' | 'passthrough';
  /** The kinds of certificate for modern clients, as far as oldhello knows them. */
  readonly authentications: readonly Authentication[];
}

export function route(accepted: Accepted, { modern, authentications }: RouteOptions): Path {
  if (modern === 'engine' || accepted.kind !== 'client_hello' || accepted.hello.format !== 'record')
    return 'engine';
  const served = modern === 'terminate' ? 'native' : 'passthrough';
  const { hello } = accepted;
  try {
    const extensions = decodeHelloExtensions(hello);
    const { signatureAlgorithms = [], supportedGroups = [], supportedVersions } = extensions;
    const versions = supportedVersions ?? [hello.clientVersion];
    const verifiable = authentications.filter((one) => canVerify(signatureAlgorithms, one));
    if (verifiable.length === 0) return 'engine';
    const tls13 =
      versions.includes(TLS_1_3) &&
      supportedGroups.some((group) => isNativeGroup(group, 'tls13')) &&
      hello.cipherSuites.some((id) => TLS_1_3_SUITE_IDS.has(id));
    const tls12 =
      versions.includes(ProtocolVersion['TLSv1.2']) &&
      supportedGroups.some((group) => isNativeGroup(group, 'tls12')) &&
      NATIVE_SUITES.some((suite) => {
        return authentications.includes(suite.authentication) && hello.cipherSuites.includes(suite.id);
      });
    return tls13 || tls12 ? served : 'engine';
  } catch (error) {
    // The engine parses the same bytes and sends the right alert.
    if (error instanceof TlsError) return 'engine';
    throw error;
  }
}

/** SHA-1 does not count: OpenSSL 3 does not sign with it at its default security level. */
function canVerify(signatureAlgorithms: readonly number[], authentication: Authentication): boolean {
  return signatureAlgorithms.some((scheme) => NATIVE_SCHEMES[authentication].has(scheme));
}

const NATIVE_SUITES = CIPHER_SUITES.filter(
  ({ bulk, keyExchange }) => bulk.kind === 'aead' && keyExchange === 'ecdhe',
);

const TLS_1_3_SUITE_IDS: ReadonlySet<number> = new Set(Object.values(TLS_1_3_SUITES));

/** OpenSSL's cipher list for Node's TLS: exactly the suites that `route` expects. */
export const NATIVE_CIPHERS = [
  ...Object.keys(TLS_1_3_SUITES),
  ...NATIVE_SUITES.map(({ opensslName }) => opensslName),
].join(':');

const { rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512 } = SignatureScheme;
const { ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_sha512 } = SignatureScheme;

/** With SHA-2. */
const NATIVE_SCHEMES: Record<Authentication, ReadonlySet<number>> = {
  rsa: new Set([rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, ...Object.values(RSA_PSS_SCHEMES)]),
  ecdsa: new Set([ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_sha512]),
};
