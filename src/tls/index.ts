/**
 * The public surface of `oldhello/tls`: a server's handshake engine for SSLv3 to TLS 1.2 that takes SSLv2-format hellos.
 * docs/engine.md shows how to use it, examples/echo-server.js is a whole program. Everything else below src/tls may
 * change without notice.
 */

// A connection, its parameters, its events, and what it asks its host for.
export { ServerConnection } from './server-connection.js';
export type { ConnectionOutput, ConnectionState, Outcome } from './connection-output.js';
export type {
  Credential,
  Operation,
  OperationResult,
  PrivateKeyOperation,
  ServerParameters,
  TicketProtector,
} from './server-parameters.js';
export type { Established } from './handshake/established.js';
export { describeWait, type Wait } from './handshake/wait.js';
export { PRESETS, type Policy, type PresetName } from './presets.js';

// Certificates and private keys, for a host that has them in node:crypto's form.
export {
  certificatesFromPem,
  credentialFrom,
  defaultCredentials,
  isKeyOf,
  isNamed,
  namedCredentials,
} from './credential.js';
export { decryptWithoutPadding, performPrivateKeyOperation } from './private-key.js';
export { DhGroup } from './crypto/dh-groups.js';
export { newEcdhShare, type EcdhGroup, type EcdhShare } from './crypto/ecdh-groups.js';

// Resumption.
export type { Session } from './session/session.js';
export { SessionCache } from './session/session-cache.js';
export { TicketKeys, TICKET_KEY_LENGTH, type TicketKey } from './session/tickets.js';

// Looking at a ClientHello before it is answered.
export { Acceptor, type Accepted } from './hello/acceptor.js';
export type { ClientHello, HelloFormat, Sslv2Offer } from './hello/client-hello.js';
export { isSslv2CipherKind } from './hello/sslv2-client-hello.js';
export { decodeHelloExtensions, type HelloExtensions } from './hello/extensions.js';

// The tables: why a connection is refused, which suites there are, and the numbers on the wire.
export { REFUSALS, TlsError, type AlertName, type Fault, type RefusalReason } from './alert.js';
export { CIPHER_SUITE_BY_ID, CIPHER_SUITES, type CipherFamily, type CipherSuite } from './cipher-suites.js';
export {
  ExtensionType,
  NamedGroup,
  ProtocolVersion,
  SSL_2_0,
  TLS_1_3,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  TLS_FALLBACK_SCSV,
  versionName,
  type ProtocolVersionName,
  type SignatureScheme,
} from './code-points.js';
