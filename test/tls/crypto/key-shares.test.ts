/** Public values that no honest client sends: each would leak or fix the secret if it were used. */
import {
  createECDH,
  createPublicKey,
  DiffieHellman,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mock } from 'node:test';
import { test } from 'tap';
import { TlsError } from '../../../src/tls/alert.js';
import { NamedGroup } from '../../../src/tls/code-points.js';
import { DhGroup, ffdhe2048 } from '../../../src/tls/crypto/dh-groups.js';
import { newEcdhShare, type EcdhGroup } from '../../../src/tls/crypto/ecdh-groups.js';

const isBadKeyShare = (error: unknown): boolean =>
  error instanceof TlsError && error.reason === 'bad_key_share';

function errorOf(derive: () => unknown): unknown {
  try {
    derive();
    return undefined;
  } catch (error) {
    return error;
  }
}

function refuses(derive: () => unknown): boolean {
  return isBadKeyShare(errorOf(derive));
}

/** The primes of FIPS 186-4, D.1.2. */
const CURVES = [
  [NamedGroup.secp256r1, 'prime256v1', 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff'],
  [
    NamedGroup.secp384r1,
    'secp384r1',
    'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
  ],
] as const;

test('both sides of ECDH agree, and the secret keeps its leading zeros (RFC 8422, 5.10)', async (t) => {
  for (const [group, name, prime] of CURVES) {
    for (let round = 0; round < 20; round += 1) {
      const peer = createECDH(name);
      const point = peer.generateKeys();
      const share = newEcdhShare(group);
      const secret = share.premasterSecret(point);
      t.same(secret, peer.computeSecret(share.publicPoint));
      t.equal(secret.length, prime.length / 2);
    }
  }
});

test('points off the curve are refused, as the invalid-curve vectors of Wycheproof have them', async (t) => {
  for (const [group, , prime] of CURVES) {
    const length = prime.length / 2;
    const p = Buffer.from(prime, 'hex');
    const pMinus1 = Buffer.from(p);
    pMinus1[length - 1]! -= 1;
    const one = Buffer.alloc(length);
    one[length - 1] = 1;
    const values = { 0: Buffer.alloc(length), 1: one, 'p-1': pMinus1, p };
    for (const [x, xBytes] of Object.entries(values)) {
      for (const [y, yBytes] of Object.entries(values)) {
        const point = Buffer.concat([Buffer.of(4), xBytes, yBytes]);
        t.ok(
          refuses(() => newEcdhShare(group).premasterSecret(point)),
          `${group}: (${x}, ${y})`,
        );
      }
    }
  }
});

test('points in other forms are refused (RFC 8422, 5.1.2 and 5.4)', async (t) => {
  for (const [group, name, prime] of CURVES) {
    const point = createECDH(name).generateKeys();
    const length = prime.length / 2;
    const forms = {
      compressed: Buffer.concat([Buffer.of(2 + (point.at(-1)! & 1)), point.subarray(1, 1 + length)]),
      hybrid: Buffer.concat([Buffer.of(6 + (point.at(-1)! & 1)), point.subarray(1)]),
      infinity: Buffer.of(0),
      empty: Buffer.alloc(0),
      'a byte short': point.subarray(0, -1),
      'a byte long': Buffer.concat([point, Buffer.of(0)]),
    };
    for (const [form, bytes] of Object.entries(forms)) {
      t.ok(
        refuses(() => newEcdhShare(group).premasterSecret(bytes)),
        `${group}: ${form}`,
      );
    }
  }
  const other = createECDH('secp384r1').generateKeys();
  t.ok(
    refuses(() => newEcdhShare(NamedGroup.secp256r1).premasterSecret(other)),
    'a point of another curve',
  );
});

/** Little-endian; every u-coordinate whose X25519 result is zero (RFC 7748, 6.1 and 7). */
const X25519_SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

test('X25519 agrees with node:crypto and refuses points of small order (RFC 8422, 5.11)', async (t) => {
  const prefix = Buffer.from('302a300506032b656e032100', 'hex');
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const share = newEcdhShare(NamedGroup.x25519);
  const peer = createPublicKey({
    key: Buffer.concat([prefix, share.publicPoint]),
    format: 'der',
    type: 'spki',
  });
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(prefix.length);
  t.same(share.premasterSecret(point), diffieHellman({ privateKey, publicKey: peer }));
  const group: EcdhGroup = NamedGroup.x25519;
  for (const u of X25519_SMALL_ORDER) {
    t.ok(
      refuses(() => newEcdhShare(group).premasterSecret(Buffer.from(u, 'hex'))),
      u,
    );
  }
  for (const length of [0, 31, 33]) {
    t.ok(
      refuses(() => newEcdhShare(group).premasterSecret(Buffer.alloc(length, 9))),
      `${length} bytes`,
    );
  }
});

test('ffdhe2048 is 2^2048 - 2^1984 + (floor(2^1918 * e) + 560316) * 2^64 - 1 (RFC 7919, A.1)', async (t) => {
  const e = floorOfPowerOfTwoTimesE(1918n);
  const expected = 2n ** 2048n - 2n ** 1984n + (e + 560_316n) * 2n ** 64n - 1n;
  t.equal(BigInt(`0x${ffdhe2048().prime.toString('hex')}`), expected);
  t.same(ffdhe2048().generator, Buffer.of(2));
});

/** The series of e, with 64 bits to spare. */
function floorOfPowerOfTwoTimesE(bits: bigint): bigint {
  let term = 2n ** (bits + 64n);
  let sum = 0n;
  for (let n = 1n; term > 0n; n += 1n) {
    sum += term;
    term /= n;
  }
  return sum >> 64n;
}

test('DHE takes the members of the group from 2 to p-2, leading zeros or not, and nothing out of that range (RFC 7919, 5.1)', async (t) => {
  const group: DhGroup = ffdhe2048();
  const number = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(512, '0'), 'hex');
  const p = BigInt(`0x${group.prime.toString('hex')}`);
  for (const [name, value] of [
    ['0', 0n],
    ['1', 1n],
    ['p-1', p - 1n],
    ['p', p],
    ['p+1', p + 1n],
  ] as const) {
    t.ok(
      refuses(() => group.premasterSecret(group.newShare(randomBytes), number(value))),
      name,
    );
  }
  t.ok(
    refuses(() => group.premasterSecret(group.newShare(randomBytes), Buffer.alloc(0))),
    'nothing',
  );
  const long = Buffer.concat([Buffer.of(1), Buffer.alloc(256)]);
  t.ok(
    refuses(() => group.premasterSecret(group.newShare(randomBytes), long)),
    'more bytes than p has',
  );
  let largest = p - 2n;
  while (power(largest, (p - 1n) / 2n, p) !== 1n) largest -= 1n;
  for (const value of [2n, 4n, largest]) {
    const short = number(value).subarray(value < 256n ? 255 : 0);
    for (const bytes of [short, Buffer.concat([Buffer.alloc(3), short])]) {
      t.ok(group.premasterSecret(group.newShare(randomBytes), bytes).length > 0, `${bytes.length} bytes`);
    }
  }
});

test('a value of DHE that OpenSSL refuses is the fault of the client, and x is wiped', async (t) => {
  const share = ffdhe2048().newShare(randomBytes);
  const refusing = mock.method(DiffieHellman.prototype, 'computeSecret', () => {
    throw new Error('Supplied key is invalid');
  });
  t.ok(refuses(() => ffdhe2048().premasterSecret(share, Buffer.of(3))));
  refusing.mock.restore();
  t.same(share.privateValue, Buffer.alloc(share.privateValue.length));
  // Half of all values are outside the subgroup; OpenSSL refuses them since 3.5.
  const errors = Array.from({ length: 40 }, () => {
    const value = Buffer.concat([Buffer.of(0x7f), randomBytes(255)]);
    return errorOf(() => ffdhe2048().premasterSecret(ffdhe2048().newShare(randomBytes), value));
  });
  t.same(
    errors.filter((error) => error !== undefined && !isBadKeyShare(error)),
    [],
  );
});

test('the secret of DHE has no leading zeros, and each share serves once (RFC 5246, 8.1.2; Raccoon)', async (t) => {
  const group = ffdhe2048();
  const p = BigInt(`0x${group.prime.toString('hex')}`);
  const share = group.newShare(randomBytes);
  const x = BigInt(`0x${share.privateValue.toString('hex')}`);
  t.equal(share.privateValue.length * 8, 256, 'RFC 7919, 5.2 asks for 225 bits');
  t.same(BigInt(`0x${share.publicValue.toString('hex')}`), power(2n, x, p), 'g^x mod p');
  const secret = group.premasterSecret(share, Buffer.of(3));
  t.equal(BigInt(`0x${secret.toString('hex')}`), power(3n, x, p));
  t.not(secret[0], 0);
  t.same(share.privateValue, Buffer.alloc(share.privateValue.length), 'x is gone');
  t.notSame(group.newShare(randomBytes).publicValue, group.newShare(randomBytes).publicValue);
});

test('a secret that begins with zeros is used without them, whatever node:crypto does (RFC 5246, 8.1.2)', async (t) => {
  const prime = readFileSync(new URL('../../support/dh1024.hex', import.meta.url), 'latin1').trim();
  const group = new DhGroup(Buffer.from(prime, 'hex'));
  let shortest = Infinity;
  let withZero = 0;
  // One secret in 256 is shorter than the prime.
  for (let round = 0; round < 10_000 && shortest >= prime.length / 2; round += 1) {
    const secret = group.premasterSecret(group.newShare(randomBytes), Buffer.of(3));
    if (secret[0] === 0) withZero += 1;
    shortest = Math.min(shortest, secret.length);
  }
  t.equal(shortest < prime.length / 2, true);
  t.equal(withZero, 0);
});

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base; exponent > 0n; exponent >>= 1n, square = (square * square) % modulus) {
    if (exponent & 1n) result = (result * square) % modulus;
  }
  return result;
}
