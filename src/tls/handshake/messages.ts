/** The bodies of the messages we send. Each function reads like the structure it writes. */
import { ExtensionType, NamedGroup, type ProtocolVersion } from '../code-points.js';
import type { Credential } from '../server-parameters.js';
import { Writer } from '../wire.js';

export interface ServerHello {
  readonly version: ProtocolVersion;
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly cipherSuite: number;
  readonly extensions: ServerExtensions;
}

/** What we answer; each only where the client offered it (RFC 5246, 7.4.1.4). */
export interface ServerExtensions {
  readonly serverName: boolean;
  readonly maxFragmentLength: 512 | 1024 | 2048 | 4096 | undefined;
  readonly ecPointFormats: boolean;
  readonly encryptThenMac: boolean;
  readonly extendedMasterSecret: boolean;
  readonly sessionTicket: boolean;
  readonly renegotiationInfo: boolean;
}

/** RFC 5246, 7.4.1.3; without extensions there is no extension block either, as the oldest clients expect. */
export function encodeServerHello(hello: ServerHello): Buffer {
  const writer = new Writer()
    .u16(hello.version)
    .bytes(hello.random)
    .vector8((w) => w.bytes(hello.sessionId))
    .u16(hello.cipherSuite)
    .u8(NULL_COMPRESSION);
  const extensions = encodeExtensions(hello.extensions);
  if (extensions.length > 0) writer.vector16((w) => w.bytes(extensions));
  return writer.done();
}

function encodeExtensions(extensions: ServerExtensions): Buffer {
  const writer = new Writer();
  const extension = (type: ExtensionType, body: (w: Writer) => void): void => {
    writer.u16(type).vector16(body);
  };
  const { maxFragmentLength } = extensions;
  // RFC 5746, 3.6: renegotiated_connection is empty on a first handshake.
  if (extensions.renegotiationInfo) extension(ExtensionType.renegotiation_info, (w) => w.u8(0));
  if (extensions.serverName) extension(ExtensionType.server_name, empty);
  if (maxFragmentLength !== undefined) {
    extension(ExtensionType.max_fragment_length, (w) => w.u8(Math.log2(maxFragmentLength) - 8));
  }
  if (extensions.ecPointFormats) extension(ExtensionType.ec_point_formats, (w) => w.u8(1).u8(UNCOMPRESSED));
  if (extensions.encryptThenMac) extension(ExtensionType.encrypt_then_mac, empty);
  if (extensions.extendedMasterSecret) extension(ExtensionType.extended_master_secret, empty);
  if (extensions.sessionTicket) extension(ExtensionType.session_ticket, empty);
  return writer.done();
}

/** RFC 5246, 7.4.2. */
export function encodeCertificate({ chain }: Credential): Buffer {
  const length = chain.reduce((sum, certificate) => sum + certificate.length + 3, 3);
  return new Writer(length)
    .vector24((w) => {
      for (const certificate of chain) w.vector24((entry) => entry.bytes(certificate));
    })
    .done();
}

/** ServerDHParams (RFC 5246, 7.4.3). */
export function encodeDhParams(prime: Buffer, generator: Buffer, publicValue: Buffer): Buffer {
  const writer = new Writer();
  for (const value of [prime, generator, publicValue]) writer.vector16((w) => w.bytes(value));
  return writer.done();
}

/** ServerECDHParams with a named curve (RFC 8422, 5.4). */
export function encodeEcdhParams(group: NamedGroup, publicPoint: Buffer): Buffer {
  return new Writer()
    .u8(NAMED_CURVE)
    .u16(group)
    .vector8((w) => w.bytes(publicPoint))
    .done();
}

/** RFC 5246, 7.4.3: before TLS 1.2 there is no algorithm in front of the signature. */
export function encodeServerKeyExchange(
  params: Buffer,
  signatureScheme: number | undefined,
  signature: Buffer,
): Buffer {
  const writer = new Writer(params.length + signature.length + 4).bytes(params);
  if (signatureScheme !== undefined) writer.u16(signatureScheme);
  return writer.vector16((w) => w.bytes(signature)).done();
}

/** RFC 5077, 3.3. `lifetimeHint` in seconds. */
export function encodeNewSessionTicket(lifetimeHint: number, ticket: Buffer): Buffer {
  return new Writer()
    .u32(lifetimeHint)
    .vector16((w) => w.bytes(ticket))
    .done();
}

const empty = (): void => undefined;

const NULL_COMPRESSION = 0;
const UNCOMPRESSED = 0;
const NAMED_CURVE = 3;
