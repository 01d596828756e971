/** Elliptic-curve Diffie-Hellman with uncompressed points only, one key pair a handshake (RFC 8422, 5.4 and 5.10). */
import {
  createECDH,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type ECDH,
  type KeyObject,
} from 'node:crypto';
import { TlsError } from '../alert.js';
import { NamedGroup } from '../code-points.js';

/** One key pair; `premasterSecret` may be asked once. */
export interface EcdhShare {
  /** As it stands in ECPoint. */
  readonly publicPoint: Buffer;
  /**
   * The shared secret, of fixed length: leading zeros stay (RFC 8422, 5.10).
   * @throws TlsError bad_key_share for a point that is not on the curve, compressed, or of small order
   */
  premasterSecret(peerPoint: Buffer): Buffer;
}

/** The curves the engine has, which a negotiation may choose from. */
export type EcdhGroup = typeof NamedGroup.x25519 | typeof NamedGroup.secp256r1 | typeof NamedGroup.secp384r1;

export function newEcdhShare(group: EcdhGroup): EcdhShare {
  switch (group) {
    case NamedGroup.x25519:
      return newX25519Share();
    case NamedGroup.secp256r1:
      return newCurveShare(createECDH('prime256v1'), 32);
    case NamedGroup.secp384r1:
      return newCurveShare(createECDH('secp384r1'), 48);
  }
}

function newCurveShare(ecdh: ECDH, coordinateLength: number): EcdhShare {
  return {
    publicPoint: ecdh.generateKeys(),
    premasterSecret(peerPoint) {
      // node:crypto would take a compressed point, which was not offered.
      if (peerPoint.length !== 1 + 2 * coordinateLength || peerPoint[0] !== UNCOMPRESSED) {
        throw new TlsError('bad_key_share', 'not an uncompressed point');
      }
      return orBadKeyShare(() => ecdh.computeSecret(peerPoint));
    },
  };
}

function newX25519Share(): EcdhShare {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return {
    publicPoint: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'),
    premasterSecret(peerPoint) {
      if (peerPoint.length !== X25519_LENGTH) throw new TlsError('bad_key_share', 'not an X25519 public key');
      return orBadKeyShare(() => diffieHellman({ privateKey, publicKey: x25519PublicKey(peerPoint) }));
    },
  };
}

/** As JWK (RFC 8037, 2): DER costs a handshake 140 us more with Node 20, 25 us with Node 22 and 24. */
function x25519PublicKey(point: Buffer): KeyObject {
  const key = { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

function orBadKeyShare(derive: () => Buffer): Buffer {
  try {
    return derive();
  } catch (cause) {
    throw new TlsError('bad_key_share', 'not a point of the curve', { cause });
  }
}

const UNCOMPRESSED = 4;
const X25519_LENGTH = 32;
