/**
 * Who serves a client: Node's TLS or the backend's own what those serve well, our engine everything else, refusals
 * included. Pure.
 */
import {
  CIPHER_SUITES,
  decodeHelloExtensions,
  NamedGroup,
  ProtocolVersion,
  TLS_1_3,
  TlsError,
  type Accepted,
  type Credential,
} from '../../tls/index.js';

export type Path = 'engine' | 'native' | 'passthrough';

type Authentication = Credential['authentication'];

export interface RouteOptions {
  /** What the backend's operator wants for modern clients. */
  readonly modern: 'terminate' | 'engine' | 'passthrough';
  /** The kinds of certificate that whoever serves modern clients has, as far as we know. */
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
    const common =
      supportedGroups.some((group) => NATIVE_GROUPS.has(group)) &&
      authentications.some((authentication) => canVerify(signatureAlgorithms, authentication));
    if (!common) return 'engine';
    if (versions.includes(TLS_1_3) && hello.cipherSuites.some((id) => TLS_1_3_SUITES.has(id))) return served;
    const suites = NATIVE_SUITES.filter((suite) =>
      authentications.some((one) => one === suite.authentication),
    );
    return versions.includes(ProtocolVersion['TLSv1.2']) &&
      suites.some(({ id }) => hello.cipherSuites.includes(id))
      ? served
      : 'engine';
  } catch (error) {
    // The engine reads the same bytes and answers with the alert they deserve.
    if (error instanceof TlsError) return 'engine';
    throw error;
  }
}

/** SHA-1 is not enough: OpenSSL 3 signs nothing with it at its default security level. */
function canVerify(signatureAlgorithms: readonly number[], authentication: Authentication): boolean {
  return signatureAlgorithms.some((scheme) => NATIVE_SCHEMES[authentication].has(scheme));
}

const NATIVE_SUITES = CIPHER_SUITES.filter(
  ({ bulk, keyExchange }) => bulk.kind === 'aead' && keyExchange === 'ecdhe',
);

/** TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 (RFC 8446, B.4). */
const TLS_1_3_SUITES = new Set([0x1301, 0x1302, 0x1303]);
const TLS_1_3_SUITE_NAMES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

/** OpenSSL's cipher list for the native path: exactly what `route` counts on. */
export const NATIVE_CIPHERS = [
  ...TLS_1_3_SUITE_NAMES,
  ...NATIVE_SUITES.map(({ opensslName }) => opensslName),
].join(':');

const NATIVE_GROUPS = new Set<number>([NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1]);

/** RFC 8446, 4.2.3: rsa_pkcs1 and rsa_pss_rsae with SHA-2; ecdsa with SHA-2. */
const NATIVE_SCHEMES = {
  rsa: new Set([0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806]),
  ecdsa: new Set([0x0403, 0x0503, 0x0603]),
};
