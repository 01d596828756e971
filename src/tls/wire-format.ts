/**
 * Numbers and the Writer for parts of this program that read or write TLS themselves. It is not part of `oldhello/tls`.
 */
export { AlertDescription, AlertLevel, alertName } from './alert.js';
export {
  ContentType,
  HANDSHAKE_HEADER_LENGTH,
  HandshakeType,
  isTls13Suite,
  RSA_PSS_SCHEMES,
  SignatureScheme,
  TLS_1_3_SUITES,
} from './code-points.js';
export { RANDOM_LENGTH } from './hello/client-hello.js';
export { MAX_PLAINTEXT_LENGTH, RECORD_HEADER_LENGTH } from './record/deframer.js';
export { Writer } from './wire.js';
