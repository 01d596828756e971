/** What a backend's own TLS agreed on with a client, read from the ServerHello that passes in clear. */
import { ExtensionType, versionName } from '../../tls/index.js';
import {
  ContentType,
  HANDSHAKE_HEADER_LENGTH,
  HandshakeType,
  RANDOM_LENGTH,
  RECORD_HEADER_LENGTH,
} from '../../tls/wire-format.js';
import { suiteName } from './suite-name.js';

export interface AgreedTls {
  readonly version: string;
  /** OpenSSL's name, or the number of an unknown suite. */
  readonly suite: string;
}

export class ServerHelloWatch {
  #bytes: Buffer | undefined = Buffer.alloc(0);
  #isRetried = false;

  /** Whether a HelloRetryRequest came, after which the client sends another hello. */
  get isRetried(): boolean {
    return this.#isRetried;
  }

  /**
   * @returns the result once, when the ServerHello is complete; undefined before, after, and if it is no ServerHello
   */
  push(chunk: Buffer): AgreedTls | undefined {
    if (this.#bytes === undefined) return undefined;
    let bytes: Buffer = Buffer.concat([this.#bytes, chunk.subarray(0, MAX_SERVER_HELLO_BYTES)]);
    if (!this.#isRetried && isHelloRetryRequest(bytes)) {
      this.#isRetried = true;
      bytes = bytes.subarray(messageEnd(bytes));
    }
    if (this.#isRetried) bytes = withoutChangeCipherSpec(bytes);
    const read = readServerHello(bytes);
    this.#bytes = read === 'need_more' && bytes.length < MAX_SERVER_HELLO_BYTES ? bytes : undefined;
    return typeof read === 'object' ? read : undefined;
  }
}

/** RFC 8446, 4.1.3: a complete ServerHello with a random of its own. */
function isHelloRetryRequest(bytes: Buffer): boolean {
  if (bytes.length < FIXED_LENGTH || bytes[5] !== HandshakeType.server_hello) return false;
  const random = bytes.subarray(RANDOM_AT, RANDOM_AT + RANDOM_LENGTH);
  return random.equals(RETRY_RANDOM) && bytes.length >= messageEnd(bytes);
}

/** RFC 8446, D.4: one may follow, without any meaning. */
function withoutChangeCipherSpec(bytes: Buffer): Buffer {
  return bytes[0] === ContentType.change_cipher_spec && bytes.length >= CHANGE_CIPHER_SPEC_LENGTH
    ? bytes.subarray(CHANGE_CIPHER_SPEC_LENGTH)
    : bytes;
}

function messageEnd(bytes: Buffer): number {
  return RECORD_HEADER_LENGTH + HANDSHAKE_HEADER_LENGTH + bytes.readUIntBE(6, 3);
}

/** RFC 5246, 7.4.1.3, in one record (6.2.1); RFC 8446, 4.2.1 for the version of TLS 1.3. */
function readServerHello(bytes: Buffer): AgreedTls | 'need_more' | 'something_else' {
  if (bytes.length < FIXED_LENGTH) return 'need_more';
  if (bytes[0] !== ContentType.handshake || bytes[5] !== HandshakeType.server_hello) return 'something_else';
  const end = messageEnd(bytes);
  if (end < MIN_LENGTH) return 'something_else';
  if (bytes.length < end) return 'need_more';
  const body = bytes.subarray(0, end);
  const suiteAt = FIXED_LENGTH + body[FIXED_LENGTH - 1]!;
  if (suiteAt + 3 > end) return 'something_else';
  const version = selectedVersion(body, suiteAt + 3) ?? body.readUInt16BE(9);
  return { version: versionName(version), suite: suiteName(body.readUInt16BE(suiteAt)) };
}

function selectedVersion(body: Buffer, lengthAt: number): number | undefined {
  for (let at = lengthAt + 2; at + 4 <= body.length; at += 4 + body.readUInt16BE(at + 2)) {
    if (body.readUInt16BE(at) === ExtensionType.supported_versions && at + 6 <= body.length)
      return body.readUInt16BE(at + 4);
  }
  return undefined;
}

const RANDOM_AT = RECORD_HEADER_LENGTH + HANDSHAKE_HEADER_LENGTH + 2;
/** The SHA-256 of "HelloRetryRequest". */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
const CHANGE_CIPHER_SPEC_LENGTH = RECORD_HEADER_LENGTH + 1;
/** Up to and with the length of the session id: headers, version, random. */
const FIXED_LENGTH = RANDOM_AT + RANDOM_LENGTH + 1;
/** With an empty session id, a suite and a compression method. */
const MIN_LENGTH = FIXED_LENGTH + 3;
/** What a ServerHello with every extension takes, several times over. */
const MAX_SERVER_HELLO_BYTES = 2048;
