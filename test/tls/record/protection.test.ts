/** Records of every suite against an implementation that shares no code, right and damaged in every bit. */
import * as crypto from 'node:crypto';
import { randomBytes, type Hash } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'tap';
import { TlsError } from '../../../src/tls/alert.js';
import { CIPHER_SUITES, MAC_LENGTHS, type CipherSuite } from '../../../src/tls/cipher-suites.js';
import { ProtocolVersion } from '../../../src/tls/code-points.js';
import { createReadProtection, createWriteProtection } from '../../../src/tls/record/create-protection.js';
import { RecordMac } from '../../../src/tls/record/mac.js';
import type { DirectionKeys, ProtectionParameters } from '../../../src/tls/record/protection.js';
import { ReferenceProtection } from '../../support/reference-protection.js';
import { inPlaceOf } from '../../support/in-place-of.js';

const VERSIONS = Object.values(ProtocolVersion);

interface Kind {
  readonly title: string;
  readonly parameters: ProtectionParameters;
}

function keysFor({ bulk, mac }: CipherSuite, version: number): DirectionKeys {
  const ivLength =
    bulk.kind === 'aead'
      ? bulk.fixedIvLength
      : bulk.kind === 'cbc' && version <= 0x0301
        ? bulk.blockLength
        : 0;
  return {
    macKey: randomBytes(mac === undefined ? 0 : MAC_LENGTHS[mac]),
    key: randomBytes(bulk.keyLength),
    iv: randomBytes(ivLength),
  };
}

/** One of each cipher, MAC, version and order of MAC and encryption. */
const KINDS: Kind[] = VERSIONS.flatMap((version) => {
  const seen = new Set<string>();
  return CIPHER_SUITES.flatMap((suite) => {
    const { bulk, mac } = suite;
    const possible = version >= suite.minVersion && !(version === 0x0300 && mac !== 'md5' && mac !== 'sha1');
    const name = `${bulk.cipher} ${mac ?? ''} ${version.toString(16)}`;
    if (!possible || seen.has(name)) return [];
    seen.add(name);
    const orders = bulk.kind === 'cbc' && version > 0x0300 ? [false, true] : [false];
    return orders.map((encryptThenMac) => ({
      title: `${name}${encryptThenMac ? ' encrypt-then-MAC' : ''}`,
      parameters: { version, suite, keys: keysFor(suite, version), encryptThenMac, random: randomBytes },
    }));
  });
});

const fragmentOf = (record: Buffer): Buffer => Buffer.from(record.subarray(5));

test('what one seals the other opens, in order, whatever the lengths', async (t) => {
  for (const { title, parameters } of KINDS) {
    const ours = { read: createReadProtection(parameters), write: createWriteProtection(parameters) };
    const theirs = { read: new ReferenceProtection(parameters), write: new ReferenceProtection(parameters) };
    for (const length of [0, 1, 15, 16, 17, 31, 32, 255, 256, 257, 4096, 16_384]) {
      const content = randomBytes(length);
      const opened = ours.read.open(23, fragmentOf(theirs.write.seal(23, content)));
      if (!opened.equals(content)) t.fail(`${title}: ${length} bytes read`);
      const sealed = Buffer.concat(ours.write.seal(23, content));
      if (!theirs.read.open(23, fragmentOf(sealed)).equals(content))
        t.fail(`${title}: ${length} bytes written`);
      if (sealed.readUInt16BE(3) !== sealed.length - 5) t.fail(`${title}: record length`);
    }
    t.pass(title);
  }
});

test('padding of every length is taken from TLS 1.0 on, and up to a block in SSLv3', async (t) => {
  for (const { title, parameters } of KINDS) {
    const { bulk, mac } = parameters.suite;
    if (bulk.kind !== 'cbc') continue;
    const before = 20 + (parameters.encryptThenMac ? 0 : MAC_LENGTHS[mac!]);
    const read = createReadProtection(parameters);
    const write = new ReferenceProtection(parameters);
    const shortest = bulk.blockLength - 1 - (before % bulk.blockLength);
    const longest = parameters.version === 0x0300 ? shortest : 255;
    for (let paddingLength = shortest; paddingLength <= longest; paddingLength += bulk.blockLength) {
      const content = randomBytes(20);
      const opened = read.open(23, fragmentOf(write.seal(23, content, { paddingLength })));
      if (!opened.equals(content)) t.fail(`${title}: padding ${paddingLength}`);
    }
    if (parameters.version === 0x0300) {
      const tooLong = fragmentOf(
        new ReferenceProtection(parameters).seal(23, randomBytes(20), {
          paddingLength: shortest + bulk.blockLength,
        }),
      );
      t.equal(outcomeOf(parameters, 23, tooLong), 'bad_record_mac ', `${title}: a block more`);
    }
    t.pass(title);
  }
});

/** What came of a record: its content, or the reason. */
function outcomeOf(parameters: ProtectionParameters, type: number, fragment: Buffer): string {
  try {
    return createReadProtection(parameters)
      .open(type as 23, Buffer.from(fragment))
      .toString('hex');
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    return `${error.reason} ${error.detail ?? ''}`;
  }
}

/** SSLv3 leaves the padding out of the MAC, which is what POODLE is made of. */
function isBlind({ parameters: { version, suite } }: Kind): boolean {
  return version === 0x0300 && suite.bulk.kind === 'cbc';
}

test('any flipped bit gives bad_record_mac and nothing more, wherever it is (RFC 5246, 7.2.2)', async (t) => {
  for (const kind of KINDS.filter((one) => !isBlind(one))) {
    const { title, parameters } = kind;
    const fragment = fragmentOf(
      new ReferenceProtection(parameters).seal(23, Buffer.from('MAIL FROM:<>\r\n')),
    );
    for (let bit = 0; bit < fragment.length * 8; bit += 1) {
      const damaged = Buffer.from(fragment);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const outcome = outcomeOf(parameters, 23, damaged);
      if (outcome !== 'bad_record_mac ') t.fail(`${title}: bit ${bit}: ${outcome}`);
    }
    t.pass(title);
  }
});

test('another type, a record left out or sent twice, and any cut give bad_record_mac', async (t) => {
  for (const { title, parameters } of KINDS) {
    const write = new ReferenceProtection(parameters);
    const [first, second] = [write.seal(23, Buffer.from('one')), write.seal(23, Buffer.from('two'))].map(
      fragmentOf,
    );
    const refused = [
      outcomeOf(parameters, 22, first!),
      outcomeOf(parameters, 23, second!),
      ...Array.from(first!, (_, length) => outcomeOf(parameters, 23, first!.subarray(0, length))),
    ];
    t.same([...new Set(refused)], ['bad_record_mac '], title);
    const read = createReadProtection(parameters);
    read.open(23, Buffer.from(first!));
    t.throws(() => read.open(23, Buffer.from(first!)), new TlsError('bad_record_mac'), `${title}: twice`);
  }
});

test('bad padding and a bad MAC are one and the same to whoever sent them (Vaudenay, Lucky 13)', async (t) => {
  for (const { title, parameters } of KINDS) {
    if (parameters.suite.bulk.kind !== 'cbc' || parameters.version === 0x0300) continue;
    const seal = (override: {
      paddingLength?: number;
      paddingByte?: number;
      keys?: DirectionKeys;
    }): string => {
      const record = new ReferenceProtection({ ...parameters, ...override }).seal(23, Buffer.alloc(64));
      return outcomeOf(parameters, 23, fragmentOf(record));
    };
    const { suite, keys } = parameters;
    const shortest = fragmentOf(new ReferenceProtection(parameters).seal(23, Buffer.alloc(64)));
    const wrongMac = { ...keys, macKey: randomBytes(keys.macKey.length) };
    const longer = suite.bulk.kind === 'cbc' ? suite.bulk.blockLength : 0;
    const outcomes = new Set([
      seal({ keys: wrongMac }),
      seal({ paddingByte: 0xee, paddingLength: paddingFor(parameters) + longer }),
      seal({ keys: wrongMac, paddingByte: 0xee, paddingLength: paddingFor(parameters) + longer }),
    ]);
    t.same([...outcomes], ['bad_record_mac '], `${title}, ${shortest.length} bytes`);
  }
});

test('each record has random bytes of its own in front, a block of them, from TLS 1.1 on (BEAST; RFC 4346, 6.2.3.2)', async (t) => {
  for (const { title, parameters } of KINDS) {
    const { bulk } = parameters.suite;
    if (bulk.kind !== 'cbc') continue;
    const drawn: number[] = [];
    const random = (length: number): Buffer => {
      drawn.push(length);
      return randomBytes(length);
    };
    const write = createWriteProtection({ ...parameters, random });
    for (let record = 0; record < 3; record += 1) write.seal(23, Buffer.from('the same'));
    const { blockLength } = bulk;
    const expected = parameters.version >= 0x0302 ? [blockLength, blockLength, blockLength] : [];
    t.same(drawn, expected, title);
  }
});

test('a right MAC does not save a wrong padding_length', async (t) => {
  for (const { title, parameters } of KINDS) {
    const { bulk, mac } = parameters.suite;
    if (bulk.kind !== 'cbc') continue;
    const tail = (parameters.encryptThenMac ? 0 : MAC_LENGTHS[mac!]) + 1;
    const content = Buffer.alloc(10 * bulk.blockLength - tail, 0x41);
    const seal = (lastByte: number): Buffer =>
      fragmentOf(new ReferenceProtection({ ...parameters, paddingLength: 0, lastByte }).seal(23, content));
    t.equal(outcomeOf(parameters, 23, seal(0)), content.toString('hex'), title);
    for (const wrong of [1, bulk.blockLength, 255]) {
      t.equal(outcomeOf(parameters, 23, seal(wrong)), 'bad_record_mac ', `${title}: ${wrong}`);
    }
  }
});

test('as many compressions are computed for any padding, right or wrong (Lucky 13)', async (t) => {
  for (const { title, parameters } of KINDS) {
    const { suite, version, encryptThenMac, keys } = parameters;
    if (suite.bulk.kind !== 'cbc' || version === 0x0300 || encryptThenMac) continue;
    let compressions = 0;
    class Counted extends RecordMac {
      override compute(...args: Parameters<RecordMac['compute']>): Buffer {
        compressions += this.blocks(args[1].length);
        return super.compute(...args);
      }

      override dummyCompressions(length: number, longest: number): void {
        compressions += this.blocks(longest) - this.blocks(length);
        super.dummyCompressions(length, longest);
      }
    }
    const { cbcReadProtection } = await t.mockImport<typeof import('../../../src/tls/record/cbc.js')>(
      '../../../src/tls/record/cbc.js',
      inPlaceOf('../../../src/tls/record/mac', { RecordMac: Counted }),
    );
    const counts = new Set<number>();
    const { blockLength } = suite.bulk;
    const macLength = MAC_LENGTHS[suite.mac!];
    // 320 bytes of content, MAC and padding, of which the padding takes less or more.
    for (let paddingLength = 0; paddingLength < 256; paddingLength += 1) {
      const content = Buffer.alloc(320 - macLength - 1 - paddingLength);
      for (const damage of [{}, { paddingByte: paddingLength ^ 1 }, { keys: { ...keys, macKey: content } }]) {
        const reference = new ReferenceProtection({ ...parameters, ...damage });
        const fragment = fragmentOf(reference.seal(23, content, { paddingLength, ...damage }));
        if (fragment.length % blockLength !== 0) throw new Error('not what was meant');
        compressions = 0;
        try {
          cbcReadProtection(parameters, suite.bulk).open(23, fragment);
        } catch {
          // Two of the three are bad; what it cost is what counts.
        }
        counts.add(compressions);
      }
    }
    t.equal(counts.size, 1, `${title}: ${[...counts].join(', ')}`);
  }
});

test('compressions are added until there are as many for any padding, at the end of a hash too (Lucky 13)', async (t) => {
  let compressions = 0;
  let atEnd = 0;
  /** FIPS 180-4, 5.1: what is behind the whole blocks takes one block more, or two. */
  const end = (length: number, blockLength: number): number =>
    (length % blockLength) + (blockLength === 128 ? 17 : 9) > blockLength ? 2 : 1;
  const createHash = (algorithm: string): Hash => {
    const hash = crypto.createHash(algorithm);
    const update = hash.update.bind(hash) as (data: Buffer) => Hash;
    hash.update = ((data: Buffer) => {
      const blockLength = algorithm === 'sha384' ? 128 : 64;
      atEnd += end(data.length, blockLength);
      compressions += Math.floor(data.length / blockLength) + end(data.length, blockLength);
      return update(data);
    }) as Hash['update'];
    return hash;
  };
  const { RecordMac: Spied } = await t.mockImport<typeof import('../../../src/tls/record/mac.js')>(
    '../../../src/tls/record/mac.js',
    { 'node:crypto': { ...crypto, createHash } },
  );
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha384'] as const) {
    const blockLength = algorithm === 'sha384' ? 128 : 64;
    const mac = new Spied(0x0303, algorithm, Buffer.alloc(MAC_LENGTHS[algorithm]));
    for (const longest of [200, 299, 300, 1000, 1006, 1023]) {
      const all = new Set<number>();
      const ends = new Set<number>();
      for (let length = Math.max(0, longest - 255); length <= longest; length += 1) {
        compressions = 0;
        atEnd = 0;
        mac.dummyCompressions(length, longest);
        all.add(mac.blocks(length) + compressions);
        ends.add(end(13 + length, blockLength) + atEnd);
      }
      t.equal(all.size, 1, `${algorithm}, ${longest} bytes: ${[...all].join(', ')}`);
      t.equal(ends.size, 1, `at the end ${[...ends].join(', ')}`);
    }
  }
});

test('a CBC record that is no whole number of blocks is refused, whatever the blocks hold (RFC 5246, 6.2.3.2)', async (t) => {
  for (const { title, parameters } of KINDS) {
    const { bulk } = parameters.suite;
    if (bulk.kind !== 'cbc' || parameters.encryptThenMac) continue;
    const fragment = fragmentOf(new ReferenceProtection(parameters).seal(23, Buffer.from('NOOP\r\n')));
    for (let more = 1; more < bulk.blockLength; more += 1) {
      const longer = Buffer.concat([fragment, Buffer.alloc(more)]);
      t.equal(outcomeOf(parameters, 23, longer), 'bad_record_mac ', `${title}: ${more} more`);
    }
  }
});

test('a right MAC over no block at all, or over a part of one, is refused (RFC 7366, 3)', async (t) => {
  for (const { title, parameters } of KINDS) {
    const { version, suite, keys, encryptThenMac } = parameters;
    if (suite.bulk.kind !== 'cbc' || !encryptThenMac) continue;
    const { blockLength } = suite.bulk;
    const whole = fragmentOf(new ReferenceProtection(parameters).seal(23, Buffer.alloc(0)));
    const ivLength = version >= ProtocolVersion['TLSv1.1'] ? blockLength : 0;
    for (const length of [0, ivLength, ivLength + 1, ivLength + blockLength - 1, ivLength + blockLength]) {
      const ciphertext = whole.subarray(0, length);
      const fields = Buffer.alloc(13);
      fields[8] = 23;
      fields.writeUInt16BE(version, 9);
      fields.writeUInt16BE(length, 11);
      const mac = crypto.createHmac(suite.mac!, keys.macKey).update(fields).update(ciphertext).digest();
      const wanted = length === ivLength + blockLength ? '' : 'bad_record_mac ';
      const outcome = outcomeOf(parameters, 23, Buffer.concat([ciphertext, mac]));
      t.equal(outcome, wanted, `${title}: ${length} bytes`);
    }
  }
});

/** The shortest padding_length behind 64 bytes of content. */
function paddingFor({ suite: { bulk, mac }, encryptThenMac }: ProtectionParameters): number {
  const { blockLength } = bulk as Extract<CipherSuite['bulk'], { kind: 'cbc' }>;
  const before = 64 + (encryptThenMac ? 0 : MAC_LENGTHS[mac!]);
  return blockLength - 1 - (before % blockLength);
}

test('random sequences of records come out as they went in', async (t) => {
  for (const { title, parameters } of KINDS) {
    const property = fc.property(
      fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 8 }),
      (contents) => {
        const write = createWriteProtection(parameters);
        const read = createReadProtection(parameters);
        const reference = new ReferenceProtection(parameters);
        return contents.every((content) => {
          const fragment = fragmentOf(Buffer.concat(write.seal(23, content)));
          return (
            reference.open(23, Buffer.from(fragment)).equals(content) &&
            read.open(23, fragment).equals(content)
          );
        });
      },
    );
    fc.assert(property, { numRuns: 15 });
    t.pass(title);
  }
});
