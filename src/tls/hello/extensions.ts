/**
 * The ClientHello extensions the engine acts upon, decoded. Unknown types are ignored, as every RFC demands; a known one
 * with a wrong structure is refused. A hello without extensions decodes to the same record with nothing in it.
 */
import { TlsError } from '../alert.js';
import { ExtensionType, ProtocolVersion, TLS_EMPTY_RENEGOTIATION_INFO_SCSV } from '../code-points.js';
import { Reader } from '../wire.js';
import type { ClientHello } from './client-hello.js';

export interface HelloExtensions {
  /** RFC 6066, 3: the host_name, lower case; undefined where absent or not a host_name. */
  readonly serverName: string | undefined;
  /** RFC 6066, 4: bytes of plaintext a record. */
  readonly maxFragmentLength: 512 | 1024 | 2048 | 4096 | undefined;
  /** RFC 8422, 5.1.1: the client's order; undefined where it leaves the choice to us. */
  readonly supportedGroups: readonly number[] | undefined;
  readonly ecPointFormats: boolean;
  /** RFC 5246, 7.4.1.4.1: undefined means the SHA-1 defaults. */
  readonly signatureAlgorithms: readonly number[] | undefined;
  /** RFC 8446, 4.2.1. */
  readonly supportedVersions: readonly number[] | undefined;
  readonly encryptThenMac: boolean;
  readonly extendedMasterSecret: boolean;
  /** RFC 5077, 3.2: empty where the client has none but would take one. */
  readonly sessionTicket: Buffer | undefined;
  /** The client understands RFC 5746, by the extension or by the signalling cipher suite. */
  readonly secureRenegotiation: boolean;
}

/** @throws TlsError malformed_message, bad_extension, bad_renegotiation_info */
export function decodeHelloExtensions(hello: ClientHello): HelloExtensions {
  const raw = hello.extensions;
  const decode = <T>(type: ExtensionType, decoder: (reader: Reader) => T): T | undefined => {
    const bytes = raw?.get(type);
    if (bytes === undefined) return undefined;
    const reader = new Reader(bytes);
    const value = decoder(reader);
    reader.end();
    return value;
  };
  const flag = (type: ExtensionType): boolean => decode(type, () => true) ?? false;
  try {
    return {
      serverName: decode(ExtensionType.server_name, decodeServerName),
      maxFragmentLength: decode(ExtensionType.max_fragment_length, decodeMaxFragmentLength),
      supportedGroups: decode(ExtensionType.supported_groups, nonEmptyU16List),
      ecPointFormats: decode(ExtensionType.ec_point_formats, decodePointFormats) ?? false,
      signatureAlgorithms: decode(ExtensionType.signature_algorithms, nonEmptyU16List),
      supportedVersions: decode(ExtensionType.supported_versions, decodeSupportedVersions),
      encryptThenMac: flag(ExtensionType.encrypt_then_mac),
      extendedMasterSecret: flag(ExtensionType.extended_master_secret),
      sessionTicket: raw?.get(ExtensionType.session_ticket),
      secureRenegotiation:
        decode(ExtensionType.renegotiation_info, decodeRenegotiationInfo) ??
        hello.cipherSuites.includes(TLS_EMPTY_RENEGOTIATION_INFO_SCSV),
    };
  } catch (error) {
    const pastDoubt = !(error instanceof TlsError) || error.reason === 'bad_renegotiation_info';
    // RFC 5746, 3.3: an SSLv3 client's trailing bytes only look like extensions; RFC 6101 has none.
    if (!pastDoubt && hello.clientVersion === ProtocolVersion.SSLv3 && raw !== undefined) {
      return decodeHelloExtensions({ ...hello, extensions: undefined });
    }
    throw error;
  }
}

/** RFC 5746, 4.5: what counts where SSLv3 is chosen, which has no extensions but this one. */
export function ssl3Extensions({ secureRenegotiation }: HelloExtensions): HelloExtensions {
  return {
    serverName: undefined,
    maxFragmentLength: undefined,
    supportedGroups: undefined,
    ecPointFormats: false,
    signatureAlgorithms: undefined,
    supportedVersions: undefined,
    encryptThenMac: false,
    extendedMasterSecret: false,
    sessionTicket: undefined,
    secureRenegotiation,
  };
}

function decodeServerName(reader: Reader): string | undefined {
  const list = reader.vector16();
  if (list.remaining === 0) throw new TlsError('malformed_message', 'empty server_name_list');
  let hostName: string | undefined;
  while (list.remaining > 0) {
    const nameType = list.u8();
    const name = list.vector16().rest();
    if (nameType !== HOST_NAME) continue;
    if (hostName !== undefined) throw new TlsError('bad_extension', 'two host_names in server_name');
    if (name.length === 0) throw new TlsError('malformed_message', 'empty host_name');
    if (name.length > MAX_HOST_NAME_LENGTH || !name.every(isVisibleAscii)) {
      throw new TlsError('bad_extension', 'a host_name that no host can have');
    }
    hostName = name.toString('latin1').toLowerCase();
  }
  return hostName;
}

/** RFC 6066, 3: ASCII, with A-labels for other names; what DNS itself would not allow does no harm. */
function isVisibleAscii(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

function decodeMaxFragmentLength(reader: Reader): 512 | 1024 | 2048 | 4096 {
  const length = FRAGMENT_LENGTHS.get(reader.u8());
  if (length === undefined) throw new TlsError('bad_extension', 'unknown max_fragment_length');
  return length;
}

function decodePointFormats(reader: Reader): true {
  const formats = reader.vector8().rest();
  if (formats.length === 0) throw new TlsError('malformed_message', 'empty ec_point_format_list');
  if (!formats.includes(UNCOMPRESSED)) throw new TlsError('bad_extension', 'no uncompressed point format');
  return true;
}

/** RFC 5746, 3.6: on a first handshake renegotiated_connection must be empty. */
function decodeRenegotiationInfo(reader: Reader): true {
  if (reader.vector8().remaining !== 0) throw new TlsError('bad_renegotiation_info');
  return true;
}

function decodeSupportedVersions(reader: Reader): number[] {
  const versions = reader.vector8().u16List();
  if (versions.length === 0) throw new TlsError('malformed_message', 'empty supported_versions');
  return versions;
}

function nonEmptyU16List(reader: Reader): number[] {
  const values = reader.vector16().u16List();
  if (values.length === 0) throw new TlsError('malformed_message', 'empty list in an extension');
  return values;
}

const HOST_NAME = 0;
/** Bytes (RFC 1035, 2.3.4). */
const MAX_HOST_NAME_LENGTH = 255;
const UNCOMPRESSED = 0;
const FRAGMENT_LENGTHS = new Map<number, 512 | 1024 | 2048 | 4096>([
  [1, 512],
  [2, 1024],
  [3, 2048],
  [4, 4096],
]);
