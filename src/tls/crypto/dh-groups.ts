/** Finite-field Diffie-Hellman over safe primes, with the checks and the secret's form that TLS asks for. */
import { createDiffieHellman, type DiffieHellman } from 'node:crypto';
import { TlsError } from '../alert.js';

export interface DhShare {
  /** g^x mod p. */
  readonly publicValue: Buffer;
  /** x; used for one handshake only, which is what makes stripping the secret's zeros safe (Raccoon). */
  readonly privateValue: Buffer;
}

/** One object a group and process: constructing it tests an unknown prime, which takes tens of milliseconds. */
export class DhGroup {
  readonly prime: Buffer;
  readonly generator: Buffer = Buffer.of(2);
  readonly #diffieHellman: DiffieHellman;
  readonly #largest: Buffer;

  /** @param prime a safe prime p for which 2 generates the subgroup of order (p-1)/2 or the whole group */
  constructor(prime: Buffer) {
    this.prime = prime;
    this.#diffieHellman = createDiffieHellman(prime, this.generator);
    this.#largest = Buffer.from(prime);
    this.#largest[prime.length - 1]! -= 2;
  }

  newShare(random: (length: number) => Buffer): DhShare {
    const privateValue = random(PRIVATE_VALUE_LENGTH);
    this.#diffieHellman.setPrivateKey(privateValue);
    return { publicValue: this.#diffieHellman.generateKeys(), privateValue };
  }

  /**
   * The premaster secret, leading zero bytes stripped (RFC 5246, 8.1.2).
   * @throws TlsError bad_key_share unless 2 <= Yc <= p-2 (RFC 7919, 5.1), and for what OpenSSL refuses: since 3.5 a
   *   value outside the subgroup of a group that it has by name
   */
  premasterSecret(share: DhShare, peerPublicValue: Buffer): Buffer {
    const peer = stripLeadingZeros(peerPublicValue);
    if (compareUnsigned(peer, this.#largest) > 0 || isBelowTwo(peer)) {
      throw new TlsError('bad_key_share', 'dh_Yc is out of range');
    }
    try {
      this.#diffieHellman.setPrivateKey(share.privateValue);
      return stripLeadingZeros(this.#diffieHellman.computeSecret(peer));
    } catch (cause) {
      throw new TlsError('bad_key_share', 'dh_Yc is not in the group', { cause });
    } finally {
      share.privateValue.fill(0);
    }
  }
}

let ffdhe2048Group: DhGroup | undefined;

/** The 2048-bit group of RFC 7919, A.1. */
export function ffdhe2048(): DhGroup {
  ffdhe2048Group ??= new DhGroup(Buffer.from(FFDHE2048_PRIME, 'hex'));
  return ffdhe2048Group;
}

function stripLeadingZeros(bytes: Buffer): Buffer {
  let at = 0;
  while (at < bytes.length && bytes[at] === 0) at += 1;
  return bytes.subarray(at);
}

/** Both without leading zeros, both public. */
function compareUnsigned(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b);
}

function isBelowTwo(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes.length === 1 && bytes[0]! < 2);
}

/** Bytes: 256 bits, more than twice the strength of a 2048-bit group (RFC 7919, 5.2 asks for 225 bits). */
const PRIVATE_VALUE_LENGTH = 32;

const FFDHE2048_PRIME =
  'ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695a9e13641146433fbcc939dce249b3ef9' +
  '7d2fe363630c75d8f681b202aec4617ad3df1ed5d5fd65612433f51f5f066ed0856365553ded1af3b557135e7f57c935' +
  '984f0c70e0e68b77e2a689daf3efe8721df158a136ade73530acca4f483a797abc0ab182b324fb61d108a94bb2c8e3fb' +
  'b96adab760d7f4681d4f42a3de394df4ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f61' +
  '9172fe9ce98583ff8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005c58ef1837d1683b2c6f34a26c1b2effa' +
  '886b423861285c97ffffffffffffffff';
