/**
 * Does time tell what a private key or a MAC key knows? Good and bad RSA padding, and good and bad CBC padding, are
 * measured in random order and compared by Welch's t, raw and with the slowest tenth of both cut off (as dudect does).
 * |t| below 4.5 is no evidence of a difference. Two rows are there to be believed: the same class against itself must
 * show nothing, and a check that stops at the first wrong byte must show.
 *
 * npm run bench:timing [-- SAMPLES]
 */
import { constants, publicEncrypt, randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { CIPHER_SUITE_BY_ID } from '../src/tls/cipher-suites.js';
import { ProtocolVersion } from '../src/tls/code-points.js';
import { unpadPremasterSecret } from '../src/tls/crypto/rsa-premaster.js';
import { createReadProtection } from '../src/tls/record/create-protection.js';
import { ReferenceProtection } from '../test/support/reference-protection.js';
import { TestClient, vector16 } from '../test/support/test-client.js';
import { TestServer } from '../test/support/test-server.js';

/** Two classes of the same thing. They differ in data only: the same code prepares and runs them. */
interface Comparison {
  readonly name: string;
  /** Samples of both, as a multiple of those asked for. */
  readonly share: number;
  /** Prepares one sample of class 0 or 1, and gives what is to be timed. */
  readonly sample: (index: 0 | 1) => () => void;
}

const RSA_LENGTH = 256;
const SUBSTITUTE = randomBytes(48);

type Byte = readonly [at: number, value: number];

/** RFC 8017, 7.2.1, with one byte set; always, so that good and bad blocks are made by the same work. */
function rsaBlock([at, value]: Byte): Buffer {
  const padding = randomBytes(RSA_LENGTH - 51).map((byte) => byte || 1);
  const block = Buffer.concat([Buffer.of(0, 2), padding, Buffer.of(0, 3, 1), randomBytes(46)]);
  block[at] = value;
  return block;
}

const GOOD = [1, 2] as const;
const WRONG_TYPE = [1, 1] as const;
const EARLY_ZERO = [2, 0] as const;
const NO_SEPARATOR = [RSA_LENGTH - 49, 1] as const;
const WRONG_VERSION = [RSA_LENGTH - 48, 9] as const;

const unpadding =
  (...classes: readonly [Byte, Byte]): Comparison['sample'] =>
  (index) => {
    const block = rsaBlock(classes[index]);
    return () => void unpadPremasterSecret(block, 0x0301, SUBSTITUTE, 0x0301);
  };

/** What must not be written: it stops where it has seen enough. */
const carelessUnpadding =
  (...classes: readonly [Byte, Byte]): Comparison['sample'] =>
  (index) => {
    const block = rsaBlock(classes[index]);
    return () => {
      if (block[0] !== 0 || block[1] !== 2) return;
      for (let at = 2; at < RSA_LENGTH - 49; at += 1) if (block[at] === 0) return;
    };
  };

/** The whole way of a ClientKeyExchange: record, message, RSA, unpadding, master secret, keys. */
const keyExchange =
  (...classes: readonly [Byte, Byte]): Comparison['sample'] =>
  (index) => {
    const server = new TestServer();
    const client = new TestClient({ version: 0x0301, suites: [0x2f] });
    server.receive(client.hello());
    client.receive(server.take());
    const key = { key: client.certificate.publicKey, padding: constants.RSA_NO_PADDING };
    const bytes = client.seal(22, clientKeyExchange(publicEncrypt(key, rsaBlock(classes[index]))));
    return () => server.connection.receive(bytes);
  };

function clientKeyExchange(ciphertext: Buffer): Buffer {
  const body = vector16(ciphertext);
  return Buffer.concat([Buffer.of(16, 0, body.length >> 8, body.length & 0xff), body]);
}

/** Bytes of content, MAC and padding, always the same: what anybody on the wire can see is no secret. */
const CBC_LENGTH = 320;
const suite = CIPHER_SUITE_BY_ID.get(0x2f)!;

interface CbcDamage {
  readonly paddingLength: number;
  readonly badPadding?: boolean;
  readonly badMac?: boolean;
}

/** Opening one record of TLS 1.2 under AES-128-CBC and HMAC-SHA1, MAC-then-encrypt. */
const opening =
  (...classes: readonly [CbcDamage, CbcDamage]): Comparison['sample'] =>
  (index) => {
    const { paddingLength, badPadding = false, badMac = false } = classes[index];
    const keys = { macKey: randomBytes(20), key: randomBytes(16), iv: Buffer.alloc(0) };
    const parameters = { version: ProtocolVersion['TLSv1.2'], suite, keys, encryptThenMac: false };
    const sealing = new ReferenceProtection({
      ...parameters,
      keys: badMac ? { ...keys, macKey: randomBytes(20) } : keys,
      paddingLength,
      ...(badPadding && { paddingByte: paddingLength ^ 1 }),
    });
    const fragment = sealing.seal(23, Buffer.alloc(CBC_LENGTH - 21 - paddingLength)).subarray(5);
    const protection = createReadProtection({ ...parameters, random: randomBytes });
    return () => {
      try {
        protection.open(23, fragment);
      } catch {
        // Refused, as it should be where it is bad.
      }
    };
  };

const BAD_MAC = { paddingLength: 11, badMac: true };
const BAD_PADDING = { paddingLength: 11, badPadding: true };

const COMPARISONS: readonly Comparison[] = [
  { name: 'RSA unpadding: good / good (control)', share: 10, sample: unpadding(GOOD, GOOD) },
  { name: 'RSA unpadding: good / wrong block type', share: 10, sample: unpadding(GOOD, WRONG_TYPE) },
  { name: 'RSA unpadding: good / zero in padding', share: 10, sample: unpadding(GOOD, EARLY_ZERO) },
  { name: 'RSA unpadding: good / no separator', share: 10, sample: unpadding(GOOD, NO_SEPARATOR) },
  { name: 'RSA unpadding: good / wrong version', share: 10, sample: unpadding(GOOD, WRONG_VERSION) },
  {
    name: 'careless unpadding: good / zero in padding (must show)',
    share: 10,
    sample: carelessUnpadding(GOOD, EARLY_ZERO),
  },
  { name: 'ClientKeyExchange: good / good (control)', share: 1, sample: keyExchange(GOOD, GOOD) },
  { name: 'ClientKeyExchange: good / wrong block type', share: 1, sample: keyExchange(GOOD, WRONG_TYPE) },
  { name: 'ClientKeyExchange: good / no separator', share: 1, sample: keyExchange(GOOD, NO_SEPARATOR) },
  { name: 'CBC record: bad MAC / bad MAC (control)', share: 5, sample: opening(BAD_MAC, BAD_MAC) },
  { name: 'CBC record: bad MAC / bad padding', share: 5, sample: opening(BAD_MAC, BAD_PADDING) },
  {
    name: 'CBC record: bad MAC, padding of 0 / of 255',
    share: 5,
    sample: opening({ paddingLength: 0, badMac: true }, { paddingLength: 255, badMac: true }),
  },
];

/** Nanoseconds of each sample, the classes in random order. */
function measure({ sample }: Comparison, samples: number): [number[], number[]] {
  const times: [number[], number[]] = [[], []];
  for (const random of randomBytes(2 * samples)) {
    const index = (random & 1) as 0 | 1;
    const run = sample(index);
    const from = process.hrtime.bigint();
    run();
    times[index].push(Number(process.hrtime.bigint() - from));
  }
  return times;
}

interface Statistics {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
}

function statisticsOf(values: readonly number[]): Statistics {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, variance, count };
}

/** Welch's t, for samples of unequal variance. */
function welch(a: Statistics, b: Statistics): number {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

/** Both without what is slower than nine tenths of all: interrupts and garbage collection say nothing. */
function cropped(times: readonly [number[], number[]]): [number[], number[]] {
  const all = [...times[0], ...times[1]].sort((one, other) => one - other);
  const limit = all[Math.floor(all.length * 0.9)]!;
  const below = (values: number[]): number[] => values.filter((value) => value <= limit);
  return [below(times[0]), below(times[1])];
}

const asked = Number(process.argv[2] ?? 4000);
/** Samples of each comparison that only warm up the compiler. */
const WARM_UP = 500;

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model ?? process.arch}`,
);
console.log(
  '| compared | samples of each | difference of means, ns | t | t, slowest tenth cut |\n|---|---|---|---|---|',
);
for (const comparison of COMPARISONS) {
  measure(comparison, WARM_UP);
  const times = measure(comparison, asked * comparison.share);
  const [a, b] = times.map(statisticsOf) as [Statistics, Statistics];
  const [croppedA, croppedB] = cropped(times).map(statisticsOf) as [Statistics, Statistics];
  const figures = [
    `${a.count} / ${b.count}`,
    (croppedA.mean - croppedB.mean).toFixed(0),
    welch(a, b).toFixed(1),
    welch(croppedA, croppedB).toFixed(1),
  ];
  console.log(`| ${comparison.name} | ${figures.join(' | ')} |`);
}
