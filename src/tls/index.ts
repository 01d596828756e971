/** The public surface of `oldhello/tls`: a server engine for SSLv3 to TLS 1.2 that takes SSLv2-format hellos. */
export { alertName, REFUSALS, TlsError, type AlertName, type Fault, type RefusalReason } from './alert.js';
export { CIPHER_SUITE_BY_ID, CIPHER_SUITES, type CipherFamily, type CipherSuite } from './cipher-suites.js';
export {
  ExtensionType,
  NamedGroup,
  ProtocolVersion,
  SignatureScheme,
  SSL_2_0,
  TLS_1_3,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  TLS_FALLBACK_SCSV,
  versionName,
  type ProtocolVersionName,
} from './code-points.js';
export { certificatesFromPem, credentialFrom, isKeyOf } from './credential.js';
export { DhGroup } from './crypto/dh-groups.js';
export { isNamed } from './handshake/negotiate.js';
export type { Established } from './handshake/server-handshake.js';
export type { Session } from './handshake/session.js';
export type { Wait } from './handshake/wait.js';
export type { ClientHello, HelloFormat } from './hello/client-hello.js';
export { decodeHelloExtensions, type HelloExtensions } from './hello/extensions.js';
export { HelloSniffer, type Sniffed } from './hello/sniffer.js';
export { PRESETS, type Policy, type PresetName } from './presets.js';
export { decryptWithoutPadding, performPrivateKeyOperation } from './private-key.js';
export {
  ServerConnection,
  type ConnectionOutput,
  type ConnectionState,
  type Outcome,
} from './server-connection.js';
export type {
  Credential,
  Operation,
  OperationResult,
  PrivateKeyOperation,
  ServerParameters,
  TicketProtector,
} from './server-parameters.js';
export { SessionCache } from './session-cache.js';
export { TicketKeys, TICKET_KEY_LENGTH, type TicketKey } from './tickets.js';
