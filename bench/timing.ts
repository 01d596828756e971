/**
 * Does time tell what a private key or a MAC key knows? Good and bad RSA padding, and good and bad CBC padding, are
 * measured in random order and compared, without the slower half of each and with it (dudect does the like). Two rows are
 * there to be believed: the same class against itself must show nothing, and a check that stops at the first wrong byte
 * must show.
 *
 * Within one process samples are not independent: where its memory lies and what its compiler has made of this file can
 * favour one of the two classes by a nanosecond or two a sample, also where both are the same, and does so to the end.
 * Ten thousands of samples make that "significant". So what is compared are processes: each gives one difference, with
 * the classes in either role and the comparisons in any order, and Student's t is over these. What is over in less than
 * a microsecond is done many times a sample besides. |t| below 4.5 is no evidence of a difference.
 *
 * npm run bench:timing [-- SAMPLES [PROCESSES]]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
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
  /** Samples of each class, as a multiple of those asked for. */
  readonly share: number;
  /** How often a sample does what is compared. */
  readonly times: number;
  /** Prepares one sample of class 0 or 1, and gives what is to be timed. */
  readonly sample: (index: 0 | 1) => () => void;
}

const RSA_LENGTH = 256;
const SUBSTITUTE = randomBytes(48);
/** Unpaddings of a sample: enough to take some microseconds. */
const UNPADDINGS = 16;

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

/** Blocks of one class, each another, through one way of unpadding. */
const unpadding =
  (unpad: (block: Buffer) => void, ...classes: readonly [Byte, Byte]): Comparison['sample'] =>
  (index) => {
    const blocks = Array.from({ length: UNPADDINGS }, () => rsaBlock(classes[index]));
    return () => {
      for (const block of blocks) unpad(block);
    };
  };

const ours = (block: Buffer): void => void unpadPremasterSecret(block, 0x0301, SUBSTITUTE, 0x0301);

/** What must not be written: it stops where it has seen enough. */
function careless(block: Buffer): void {
  if (block[0] !== 0 || block[1] !== 2) return;
  for (let at = 2; at < RSA_LENGTH - 49; at += 1) if (block[at] === 0) return;
}

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
const FRAGMENT_LENGTH = 320;
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
    const fragment = sealing.seal(23, Buffer.alloc(FRAGMENT_LENGTH - 21 - paddingLength)).subarray(5);
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

const RSA = { share: 2, times: UNPADDINGS } as const;
const KEY_EXCHANGE = { share: 1, times: 1 } as const;
const CBC = { share: 20, times: 1 } as const;

const COMPARISONS: readonly Comparison[] = [
  { name: 'RSA unpadding: good / good (control)', ...RSA, sample: unpadding(ours, GOOD, GOOD) },
  { name: 'RSA unpadding: good / wrong block type', ...RSA, sample: unpadding(ours, GOOD, WRONG_TYPE) },
  { name: 'RSA unpadding: good / zero in padding', ...RSA, sample: unpadding(ours, GOOD, EARLY_ZERO) },
  { name: 'RSA unpadding: good / no separator', ...RSA, sample: unpadding(ours, GOOD, NO_SEPARATOR) },
  { name: 'RSA unpadding: good / wrong version', ...RSA, sample: unpadding(ours, GOOD, WRONG_VERSION) },
  {
    name: 'careless unpadding: good / zero in padding (must show)',
    ...RSA,
    sample: unpadding(careless, GOOD, EARLY_ZERO),
  },
  { name: 'ClientKeyExchange: good / good (control)', ...KEY_EXCHANGE, sample: keyExchange(GOOD, GOOD) },
  {
    name: 'ClientKeyExchange: good / wrong block type',
    ...KEY_EXCHANGE,
    sample: keyExchange(GOOD, WRONG_TYPE),
  },
  {
    name: 'ClientKeyExchange: good / no separator',
    ...KEY_EXCHANGE,
    sample: keyExchange(GOOD, NO_SEPARATOR),
  },
  { name: 'CBC record: bad MAC / bad MAC (control)', ...CBC, sample: opening(BAD_MAC, BAD_MAC) },
  { name: 'CBC record: bad MAC / bad padding', ...CBC, sample: opening(BAD_MAC, BAD_PADDING) },
  {
    name: 'CBC record: bad MAC, padding of 0 / of 255',
    ...CBC,
    sample: opening({ paddingLength: 0, badMac: true }, { paddingLength: 255, badMac: true }),
  },
];

type Samples = readonly [number[], number[]];

/** Nanoseconds of each sample, the classes in random order. */
function measure(sample: Comparison['sample'], samples: number): Samples {
  const times: Samples = [[], []];
  for (const random of randomBytes(2 * samples)) {
    const index = (random & 1) as 0 | 1;
    const run = sample(index);
    const from = process.hrtime.bigint();
    run();
    times[index].push(Number(process.hrtime.bigint() - from));
  }
  return times;
}

/** The faster half of each: interrupts, garbage collection and whoever else is busy say nothing. */
const cropped = (samples: Samples): Samples =>
  samples.map((values) =>
    [...values].sort((one, other) => one - other).slice(0, Math.ceil(values.length / 2)),
  ) as unknown as Samples;

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the means of two classes, in nanoseconds. */
interface Difference {
  readonly raw: number;
  readonly cropped: number;
}

/** What one process finds, by the place in COMPARISONS. */
type Findings = Record<number, Difference>;

const shuffled = <T>(values: readonly T[]): T[] =>
  values
    .map((value) => ({ value, place: randomBytes(6).readUIntBE(0, 6) }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);

function find(samples: number): Findings {
  const findings: Findings = {};
  for (const [place, { share, times, sample }] of shuffled([...COMPARISONS.entries()])) {
    const swap = (randomBytes(1)[0]! & 1) as 0 | 1;
    const inRole: typeof sample = (index) => sample((index ^ swap) as 0 | 1);
    measure(inRole, WARM_UP * share);
    const taken = measure(inRole, samples * share);
    const difference = ([a, b]: Samples): number => ((swap === 1 ? -1 : 1) * (meanOf(a) - meanOf(b))) / times;
    findings[place] = { raw: difference(taken), cropped: difference(cropped(taken)) };
  }
  return findings;
}

/** Of one mean, against 0. */
function student(values: readonly number[]): { mean: number; error: number; t: number } {
  const mean = meanOf(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const error = Math.sqrt(variance / values.length);
  return { mean, error, t: mean / error };
}

/** To two digits that count. */
const rounded = (value: number): number => Number(value.toPrecision(2));

/** One process after the other, so that they do not disturb each other. */
async function report(samples: number, processes: number): Promise<void> {
  const all: Findings[] = [];
  while (all.length < processes) {
    const child = fork(process.argv[1]!, [String(samples)]);
    child.once('exit', (code) => {
      if (code !== 0) throw new Error('a process that measures has failed');
    });
    const [findings] = (await once(child, 'message')) as [Findings];
    all.push(findings);
  }
  const [cpu] = cpus();
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpu?.model ?? process.arch}, ${processes} processes\n`,
  );
  console.log('| compared | samples of each | difference of means, ns | t | t, all samples |');
  console.log('|---|---|---|---|---|');
  COMPARISONS.forEach(({ name, share }, place) => {
    const { mean, error, t } = student(all.map((findings) => findings[place]!.cropped));
    const raw = student(all.map((findings) => findings[place]!.raw));
    const difference = `${rounded(mean)} ± ${rounded(error)}`;
    console.log(
      `| ${name} | ${samples * share * processes} | ${difference} | ${t.toFixed(1)} | ${raw.t.toFixed(1)} |`,
    );
  });
}

/** Samples that only warm up the compiler, times the share. */
const WARM_UP = 100;

const [samples = 250, processes = 16] = process.argv.slice(2).map(Number);
if (process.send === undefined) await report(samples, processes);
else process.send(find(samples));
