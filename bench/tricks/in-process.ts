/**
 * What each trick inside a handshake or a record brings: with it and without it in turns, in CPU time, as a share of a
 * whole handshake or record of the engine.
 *
 * npm run bench:tricks
 */
import { createCipheriv, createHmac, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { prfTls10 } from '../../src/tls/crypto/prf.js';
import { TestClient } from '../../test/support/test-client.js';
import { TestServer } from '../../test/support/test-server.js';

interface Trick {
  readonly name: string;
  /** What is saved is compared with it. */
  readonly of: 'handshake' | 'itself';
  readonly with: () => unknown;
  readonly without: () => unknown;
}

const SECRET = randomBytes(48);
const SEED = randomBytes(64);

/** RFC 2246, 5, as it would be with node:crypto. */
function prfByNode(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const half = Math.ceil(secret.length / 2);
  const whole = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const md5 = expand('md5', secret.subarray(0, half), whole, length);
  const sha1 = expand('sha1', secret.subarray(secret.length - half), whole, length);
  for (let at = 0; at < length; at += 1) md5[at]! ^= sha1[at]!;
  return md5;
}

function expand(hash: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  const output = Buffer.alloc(length);
  let a: Buffer = seed;
  for (let at = 0; at < length;) {
    a = createHmac(hash, secret).update(a).digest();
    at += createHmac(hash, secret).update(a).update(seed).digest().copy(output, at);
  }
  return output;
}

type Prf = typeof prfTls10;
/** Master secret, key block of AES128-SHA, both Finished. */
const allOf = (prf: Prf) => (): void => {
  for (const length of [48, 104, 12, 12]) prf(SECRET, 'key expansion', SEED, length);
};

const cipher = createCipheriv('aes-128-cbc', randomBytes(16), randomBytes(16)).setAutoPadding(false);
const record = (length: number): Buffer[] => {
  const end = Buffer.alloc(32 - (length % 16), 1);
  return [randomBytes(16), randomBytes(length), end];
};
const inOneCall = (pieces: readonly Buffer[]) => (): unknown => [cipher.update(Buffer.concat(pieces))];
const inPieces = (pieces: readonly Buffer[]) => (): unknown => pieces.map((piece) => cipher.update(piece));

const { publicKey } = generateKeyPairSync('x25519');
const POINT = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
const DER_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

const TRICKS: readonly Trick[] = [
  {
    name: 'MD5 and SHA-1 of our own in the PRF of TLS 1.0 and 1.1',
    of: 'handshake',
    with: allOf(prfTls10),
    without: allOf(prfByNode),
  },
  {
    name: 'the key of an X25519 client as JWK, not DER',
    of: 'handshake',
    with: () =>
      createPublicKey({
        key: { kty: 'OKP', crv: 'X25519', x: POINT.toString('base64url') },
        format: 'jwk',
      }),
    without: () => createPublicKey({ key: Buffer.concat([DER_PREFIX, POINT]), format: 'der', type: 'spki' }),
  },
  ...[50, 500, 2000, 8000].map((length): Trick => {
    const pieces = record(length);
    return {
      name: `a CBC record of ${length} bytes copied, for one call`,
      of: 'itself',
      with: inOneCall(pieces),
      without: inPieces(pieces),
    };
  }),
];

/** Microseconds of CPU for each call. */
function cost(work: () => unknown): number {
  const before = process.cpuUsage();
  for (let turn = 0; turn < CALLS; turn += 1) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

/** The engine's part of one handshake: SSLv2-format hello, RSA, AES128-SHA at TLS 1.0, with its key operation. */
function handshakeCost(): number {
  let spent = 0;
  for (let turn = 0; turn < CALLS / 10; turn += 1) {
    const client = new TestClient({ format: 'sslv2', version: 0x0301, suites: [0x2f] });
    const server = new TestServer();
    const hello = client.hello();
    spent += cpuOf(() => server.receive(hello));
    client.receive(server.take());
    const flight = client.secondFlight();
    spent += cpuOf(() => server.receive(flight));
    if (server.established === undefined) throw new Error('no handshake');
  }
  return spent / (CALLS / 10);
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const CALLS = 1_000;
const ROUNDS = 11;

const handshakes: number[] = [];
const costs = TRICKS.map(() => ({ with: [] as number[], without: [] as number[] }));
for (let round = 0; round <= ROUNDS; round += 1) {
  const handshake = handshakeCost();
  const measured = TRICKS.map((trick, index) => {
    // The order changes, so that neither always finds the caches warm.
    const [first, second] =
      (round + index) % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const);
    const one = cost(trick[first]);
    const other = cost(trick[second]);
    return { [first]: one, [second]: other } as Record<'with' | 'without', number>;
  });
  // The first round warms up.
  if (round === 0) continue;
  handshakes.push(handshake);
  for (const [index, each] of measured.entries()) {
    costs[index]!.with.push(each.with);
    costs[index]!.without.push(each.without);
  }
}

const handshake = median(handshakes);
console.log(
  `Node ${process.version}; a handshake of the engine with its RSA operation: ${handshake.toFixed(0)} us of CPU`,
);
for (const [index, trick] of TRICKS.entries()) {
  const [having, lacking] = [median(costs[index]!.with), median(costs[index]!.without)];
  const saved = lacking - having;
  const whole = trick.of === 'handshake' ? handshake + Math.max(0, saved) : lacking;
  console.log(
    trick.name.padEnd(56),
    `${having.toFixed(2)} us with, ${lacking.toFixed(2)} without;`.padEnd(36),
    `saves ${((100 * saved) / whole).toFixed(1)} % of ${trick.of === 'handshake' ? 'a handshake' : 'it'}`,
  );
}
