/** What version 2 can carry beyond addresses (PROXY protocol, 2.2). */

export interface Tlv {
  readonly type: number;
  readonly value: Buffer;
}

/** `hello_format` lies in the range for applications: ASCII "sslv2" or "record", the form of the ClientHello. */
export const TlvType = {
  authority: 0x02,
  crc32c: 0x03,
  unique_id: 0x05,
  ssl: 0x20,
  ssl_version: 0x21,
  ssl_cipher: 0x23,
  ssl_sig_alg: 0x24,
  ssl_key_alg: 0x25,
  hello_format: 0xe0,
} as const;

/** What a header carries about a connection; absent where it is not known. */
export interface ConnectionInfo {
  /** At most 128 bytes. */
  readonly uniqueId?: string | undefined;
  /** The server_name the client asked for. */
  readonly authority?: string | undefined;
  readonly ssl?: SslInfo | undefined;
  readonly helloFormat?: string | undefined;
}

export interface SslInfo {
  /** "SSLv3", "TLSv1", "TLSv1.2" … */
  readonly version: string;
  /** OpenSSL's name. */
  readonly cipher: string;
  /** "RSA-SHA256": how our certificate is signed. */
  readonly signatureAlgorithm?: string | undefined;
  /** "RSA2048": the key in our certificate. */
  readonly keyAlgorithm?: string | undefined;
}

export function encodeTlvs({ uniqueId, authority, ssl, helloFormat }: ConnectionInfo): Buffer {
  return Buffer.concat([
    text(TlvType.unique_id, uniqueId),
    text(TlvType.authority, authority),
    ssl === undefined ? NOTHING : tlv(TlvType.ssl, encodeSsl(ssl)),
    text(TlvType.hello_format, helloFormat),
  ]);
}

/** The inverse of `encodeTlvs`, for whoever receives a header. */
export function connectionInfo(tlvs: readonly Tlv[]): ConnectionInfo {
  const find = (type: number): Buffer | undefined => tlvs.find((one) => one.type === type)?.value;
  const ssl = find(TlvType.ssl);
  return {
    uniqueId: find(TlvType.unique_id)?.toString('latin1'),
    authority: find(TlvType.authority)?.toString('latin1'),
    ssl: ssl && decodeSsl(ssl),
    helloFormat: find(TlvType.hello_format)?.toString('latin1'),
  };
}

/** Undefined where a length reaches beyond the end. */
export function decodeTlvs(bytes: Buffer): Tlv[] | undefined {
  const tlvs: Tlv[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + TLV_HEADER_LENGTH > bytes.length) return undefined;
    const end = at + TLV_HEADER_LENGTH + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return undefined;
    tlvs.push({ type: bytes[at]!, value: bytes.subarray(at + TLV_HEADER_LENGTH, end) });
    at = end;
  }
  return tlvs;
}

/** `verify` is zero only for a client certificate that was presented and verified, and we ask for none. */
function encodeSsl({ version, cipher, signatureAlgorithm, keyAlgorithm }: SslInfo): Buffer {
  return Buffer.concat([
    Buffer.of(CLIENT_SSL, 0, 0, 0, 1),
    text(TlvType.ssl_version, version),
    text(TlvType.ssl_cipher, cipher),
    text(TlvType.ssl_sig_alg, signatureAlgorithm),
    text(TlvType.ssl_key_alg, keyAlgorithm),
  ]);
}

function decodeSsl(value: Buffer): SslInfo | undefined {
  const tlvs = value.length < SSL_HEADER_LENGTH ? undefined : decodeTlvs(value.subarray(SSL_HEADER_LENGTH));
  const find = (type: number): string | undefined =>
    tlvs?.find((one) => one.type === type)?.value.toString('latin1');
  const version = find(TlvType.ssl_version);
  if (version === undefined) return undefined;
  return {
    version,
    cipher: find(TlvType.ssl_cipher) ?? '',
    signatureAlgorithm: find(TlvType.ssl_sig_alg),
    keyAlgorithm: find(TlvType.ssl_key_alg),
  };
}

function text(type: number, value: string | undefined): Buffer {
  return value === undefined ? NOTHING : tlv(type, Buffer.from(value.slice(0, MAX_TEXT_BYTES), 'latin1'));
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type, value.length >> 8, value.length & 0xff), value]);
}

const NOTHING = Buffer.alloc(0);
const TLV_HEADER_LENGTH = 3;
/** Bytes: client flags and verify. */
const SSL_HEADER_LENGTH = 5;
/** PP2_CLIENT_SSL: the client connected over TLS. */
const CLIENT_SSL = 0x01;
/** The longest host name, and more than any other value has. */
const MAX_TEXT_BYTES = 255;
