/**
 * The three ways to agree on a premaster secret. Each makes a ServerKeyExchange or none, and turns ClientKeyExchange
 * into the secret; the handshake never asks which one it is.
 */
import { TlsError } from '../alert.js';
import { ProtocolVersion, SignatureScheme } from '../code-points.js';
import type { DhGroup, DhShare } from '../crypto/dh-groups.js';
import type { EcdhGroup, EcdhShare } from '../crypto/ecdh-groups.js';
import { unpadPremasterSecret } from '../crypto/rsa-premaster.js';
import type { Credential, SignOperation } from '../server-parameters.js';
import { Reader } from '../wire.js';
import type { HandshakeIo } from './io.js';
import { encodeDhParams, encodeEcdhParams } from './messages.js';
import type { Negotiated } from './negotiate.js';
import type { Step } from './wait.js';

export interface ServerKeyExchange {
  /** ServerDHParams or ServerECDHParams, to be signed and sent; undefined where there is nothing to send. */
  readonly params: Buffer | undefined;
  /** From the body of ClientKeyExchange. */
  premasterSecret(body: Buffer): Step<Buffer>;
}

/** @param clientVersion what the premaster secret of an RSA key exchange begins with (RFC 5246, 7.4.7.1) */
export function startKeyExchange(
  io: HandshakeIo,
  negotiated: Negotiated,
  clientVersion: number,
): ServerKeyExchange {
  const { keyExchange } = negotiated;
  switch (keyExchange.kind) {
    case 'rsa':
      return new RsaKeyExchange(io, negotiated, clientVersion);
    case 'ecdhe':
      return new EcdheKeyExchange(io, keyExchange.group);
    case 'dhe':
      return new DheKeyExchange(io, keyExchange.group);
  }
}

class EcdheKeyExchange implements ServerKeyExchange {
  readonly params: Buffer;
  readonly #share: EcdhShare;

  constructor(io: HandshakeIo, group: EcdhGroup) {
    this.#share = io.parameters.ecdhShare(group);
    this.params = encodeEcdhParams(group, this.#share.publicPoint);
  }

  *premasterSecret(body: Buffer): Step<Buffer> {
    const reader = new Reader(body);
    const point = reader.vector8().rest();
    reader.end();
    // RFC 8422, 5.4: opaque point <1..2^8-1>.
    if (point.length === 0) throw new TlsError('malformed_message', 'empty ecdh_Yc');
    return this.#share.premasterSecret(point);
  }
}

class DheKeyExchange implements ServerKeyExchange {
  readonly params: Buffer;
  readonly #group: DhGroup;
  readonly #share: DhShare;

  constructor(io: HandshakeIo, group: DhGroup) {
    this.#group = group;
    this.#share = group.newShare(io.parameters.random);
    this.params = encodeDhParams(group.prime, group.generator, this.#share.publicValue);
  }

  *premasterSecret(body: Buffer): Step<Buffer> {
    const reader = new Reader(body);
    const publicValue = reader.vector16().rest();
    reader.end();
    // RFC 5246, 7.4.7.2: opaque dh_Yc <1..2^16-1>.
    if (publicValue.length === 0) throw new TlsError('malformed_message', 'empty dh_Yc');
    return this.#group.premasterSecret(this.#share, publicValue);
  }
}

/**
 * RFC 5246, 7.4.7.1 and Bleichenbacher: the substitute is drawn before anything is decrypted, and nothing from here to
 * the check of Finished tells a good block from a bad one.
 */
class RsaKeyExchange implements ServerKeyExchange {
  readonly params = undefined;
  readonly #io: HandshakeIo;
  readonly #negotiated: Negotiated;
  readonly #clientVersion: number;

  constructor(io: HandshakeIo, negotiated: Negotiated, clientVersion: number) {
    this.#io = io;
    this.#negotiated = negotiated;
    this.#clientVersion = clientVersion;
  }

  *premasterSecret(body: Buffer): Step<Buffer> {
    const { credential, version } = this.#negotiated;
    const clientVersion = this.#clientVersion;
    const { tolerateKeyExchangeBugs: tolerant, random } = this.#io.parameters;
    const ciphertext = encryptedPremasterSecret(body, credential.modulusLength, version, tolerant);
    const substitute = random(PREMASTER_SECRET_LENGTH);
    // No alert here, even for a length that is public: the handshake ends at Finished, as for any other bad ciphertext.
    if (ciphertext.length !== credential.modulusLength) return substitute;
    const block = yield* this.#io.privateKey({ kind: 'decrypt', credential, ciphertext });
    // OpenSSL's TLS_ROLLBACK_BUG exists only in clients that know nothing newer than TLS 1.0.
    const alsoAccept = tolerant && clientVersion <= ProtocolVersion.TLSv1 ? version : clientVersion;
    return unpadPremasterSecret(block, clientVersion, substitute, alsoAccept);
  }
}

/**
 * EncryptedPreMasterSecret: with a length from TLS 1.0 on, without one in SSLv3 (RFC 5246, 7.4.7.1, implementation
 * note). Some stacks send the other form of the two; both lengths are public.
 */
function encryptedPremasterSecret(
  body: Buffer,
  modulusLength: number,
  version: ProtocolVersion,
  tolerant: boolean,
): Buffer {
  const withLength = body.length === LENGTH_FIELD_BYTES + modulusLength;
  if (version === ProtocolVersion.SSLv3 && !withLength) return body;
  if (body.length === modulusLength && tolerant) return body;
  const reader = new Reader(body);
  const ciphertext = reader.vector16().rest();
  reader.end();
  return ciphertext;
}

/**
 * The signature over a ServerKeyExchange (RFC 5246, 7.4.3; RFC 8422, 5.4).
 * @param data both randoms and the parameters
 */
export function signOperation(
  credential: Credential,
  signatureScheme: SignatureScheme | undefined,
  data: Buffer,
): SignOperation {
  if (signatureScheme !== undefined) {
    return { kind: 'sign', credential, hash: HASHES[signatureScheme], data };
  }
  return { kind: 'sign', credential, hash: credential.authentication === 'rsa' ? 'md5-sha1' : 'sha1', data };
}

const HASHES = {
  [SignatureScheme.rsa_pkcs1_sha1]: 'sha1',
  [SignatureScheme.ecdsa_sha1]: 'sha1',
  [SignatureScheme.rsa_pkcs1_sha256]: 'sha256',
  [SignatureScheme.ecdsa_secp256r1_sha256]: 'sha256',
  [SignatureScheme.rsa_pkcs1_sha384]: 'sha384',
  [SignatureScheme.ecdsa_secp384r1_sha384]: 'sha384',
  [SignatureScheme.rsa_pkcs1_sha512]: 'sha512',
  [SignatureScheme.ecdsa_sha512]: 'sha512',
} as const satisfies Record<SignatureScheme, SignOperation['hash']>;

/** Bytes in front of an opaque<0..2^16-1>. */
const LENGTH_FIELD_BYTES = 2;
/** Bytes (RFC 5246, 7.4.7.1). */
const PREMASTER_SECRET_LENGTH = 48;
