/**
 * The numbers of the TLS registries that this engine understands, spelled as in the RFCs, so that code, logs and
 * specification are one search.
 */

/** RFC 6101, 5.2.1 and RFC 5246, 6.2.1. */
export const ContentType = {
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
} as const;
export type ContentType = (typeof ContentType)[keyof typeof ContentType];

/** RFC 5246, 7.4; session_ticket is RFC 5077, 3.3. */
export const HandshakeType = {
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  certificate: 11,
  server_key_exchange: 12,
  server_hello_done: 14,
  client_key_exchange: 16,
  finished: 20,
} as const;
export type HandshakeType = (typeof HandshakeType)[keyof typeof HandshakeType];

/** Bytes: msg_type and length (RFC 5246, 7.4). */
export const HANDSHAKE_HEADER_LENGTH = 4;

/** The versions the engine negotiates, as they stand on the wire. */
export const ProtocolVersion = {
  SSLv3: 0x0300,
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
} as const;
export type ProtocolVersionName = keyof typeof ProtocolVersion;
export type ProtocolVersion = (typeof ProtocolVersion)[ProtocolVersionName];

/** TLS 1.3 is recognised in what a client offers and in a listener's ceiling, never negotiated here. */
export const TLS_1_3 = 0x0304;

/** "SSLv3", "TLSv1", … as OpenSSL and the PROXY protocol spell them; other numbers as hex. */
export function versionName(version: number): string {
  if (version === TLS_1_3) return 'TLSv1.3';
  if (version === SSL_2_0) return 'SSLv2';
  return VERSION_NAMES.get(version) ?? `0x${version.toString(16).padStart(4, '0')}`;
}

/** The version number in a hello of a client that can do nothing newer than SSL 2.0 (Hickman, 5.5.1). */
export const SSL_2_0 = 0x0002;

export const ExtensionType = {
  server_name: 0,
  max_fragment_length: 1,
  supported_groups: 10,
  ec_point_formats: 11,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  encrypt_then_mac: 22,
  extended_master_secret: 23,
  session_ticket: 35,
  pre_shared_key: 41,
  supported_versions: 43,
  renegotiation_info: 0xff01,
} as const;
export type ExtensionType = (typeof ExtensionType)[keyof typeof ExtensionType];

/** RFC 8422, 5.1.1 and RFC 7919, 2. */
export const NamedGroup = {
  secp256r1: 23,
  secp384r1: 24,
  x25519: 29,
  ffdhe2048: 256,
} as const;
export type NamedGroupName = keyof typeof NamedGroup;
export type NamedGroup = (typeof NamedGroup)[NamedGroupName];

/** RFC 7919, 2: the code points set aside for finite-field groups. */
export function isFiniteFieldGroup(group: number): boolean {
  return group >= 0x0100 && group <= 0x01ff;
}

/** SignatureAndHashAlgorithm of RFC 5246, 7.4.1.4.1 as one number: hash << 8 | signature. MD5 is not among them (SLOTH). */
export const SignatureScheme = {
  rsa_pkcs1_sha1: 0x0201,
  ecdsa_sha1: 0x0203,
  rsa_pkcs1_sha256: 0x0401,
  ecdsa_secp256r1_sha256: 0x0403,
  rsa_pkcs1_sha384: 0x0501,
  ecdsa_secp384r1_sha384: 0x0503,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_sha512: 0x0603,
} as const;
export type SignatureSchemeName = keyof typeof SignatureScheme;
export type SignatureScheme = (typeof SignatureScheme)[SignatureSchemeName];

/** RFC 8446, 4.2.3: recognised in what a client offers, used by Node's TLS only. */
export const RSA_PSS_SCHEMES = {
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
} as const;

/** RFC 8446, B.4: recognised in what a client offers, served by Node's TLS only. */
export const TLS_1_3_SUITES = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
} as const;

/** RFC 8446, B.4: all suites of TLS 1.3 begin with this byte, those that nobody here serves too. */
export function isTls13Suite(id: number): boolean {
  return id >> 8 === 0x13;
}

/** Signalling cipher suite values: RFC 5746, 3.3 and RFC 7507, 2. */
export const TLS_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;
export const TLS_FALLBACK_SCSV = 0x5600;

const VERSION_NAMES = new Map<number, string>(
  Object.entries(ProtocolVersion).map(([name, version]) => [version, name]),
);
