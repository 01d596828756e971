/** The PRF's own HMAC against node:crypto's, which shares nothing with it. */
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { test } from 'tap';
import { ShortHmac } from '../../../src/tls/crypto/short-hmac.js';
import { inPlaceOf } from '../../support/in-place-of.js';

/** P_hash of RFC 2246, 5, by node:crypto. */
function reference(algorithm: 'md5' | 'sha1', key: Uint8Array, seed: Uint8Array, length: number): Buffer {
  const hmacOf = (message: Uint8Array): Buffer => createHmac(algorithm, key).update(message).digest();
  const pieces: Buffer[] = [];
  for (let a = hmacOf(seed); pieces.length * a.length < length; a = hmacOf(a))
    pieces.push(hmacOf(Buffer.concat([a, seed])));
  return Buffer.concat(pieces).subarray(0, length);
}

function expansion(hmac: ShortHmac, seed: Uint8Array, length: number): Buffer {
  const output = Buffer.alloc(length);
  hmac.xorExpansion(seed, output);
  return output;
}

for (const algorithm of ['md5', 'sha1'] as const) {
  test(`${algorithm}: any key and seed give what node:crypto gives, one seed after another`, async (t) => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { minLength: 1, maxLength: 4 }), (key, seeds) => {
        const hmac = new ShortHmac(algorithm, key);
        for (const seed of seeds) {
          if (!expansion(hmac, seed, 50).equals(reference(algorithm, key, seed, 50)))
            throw new Error(`${key.length} and ${seed.length} bytes`);
        }
      }),
      { numRuns: 500 },
    );
    t.pass('500 keys');
  });

  test(`${algorithm}: a key is hashed where it is longer than a block, and only there (RFC 2104, 2)`, async (t) => {
    const seed = Buffer.from('what do ya want for nothing?');
    for (const length of [0, 1, 63, 64, 65, 128, 129]) {
      const key = Buffer.alloc(length, 0x0b);
      const expected = reference(algorithm, key, seed, 40);
      t.same(expansion(new ShortHmac(algorithm, key), seed, 40), expected, `${length} bytes`);
    }
  });
}

test('of keys, messages and digests nothing is left in what all share', async (t) => {
  const { compressSha1 } = await import('../../../src/tls/crypto/sha1.js');
  const shared = new Set<Int32Array>();
  const { ShortHmac: Spied } = await t.mockImport<typeof import('../../../src/tls/crypto/short-hmac.js')>(
    '../../../src/tls/crypto/short-hmac.js',
    inPlaceOf('../../../src/tls/crypto/sha1', {
      compressSha1: (state: Int32Array, block: Int32Array, at: number): void => {
        shared.add(state).add(block);
        compressSha1(state, block, at);
      },
    }),
  );
  const left = (): number[] => [...shared].flatMap((words) => [...words].filter((word) => word !== 0));
  const hmac = new Spied('sha1', Buffer.alloc(20, 1));
  t.equal(shared.size, 2, 'a state, and the padded key');
  t.ok(
    [...shared].some((words) => words.every((word) => word === 0)),
    'the key goes at once',
  );
  hmac.xorExpansion(Buffer.from('seed'), Buffer.alloc(50));
  t.equal(shared.size, 4, 'and a digest, and a digest with the seed');
  t.ok(left().length > 5);
  hmac.wipe();
  t.same(left(), [0x80 << 24, 8 * (64 + 20)], 'the end of the message that a digest is');
});

for (const algorithm of ['md5', 'sha1'] as const) {
  test(`${algorithm}: P_hash as RFC 2246, 5 has it, for every length of seed and output, on what is there`, async (t) => {
    const key = Buffer.alloc(24, 9);
    const hmac = new ShortHmac(algorithm, key);
    const wrong: string[] = [];
    for (let length = 0; length <= 256; length += 1) {
      const seed = Buffer.from(Array.from({ length }, (_, index) => index + length));
      for (const size of [0, 1, 12, 15, 16, 17, 20, 21, 40, 104]) {
        const output = Buffer.alloc(size, 0xff);
        hmac.xorExpansion(seed, output);
        const expected = reference(algorithm, key, seed, size).map((byte) => byte ^ 0xff);
        if (!output.equals(expected)) wrong.push(`a seed of ${length}, ${size} bytes`);
      }
    }
    t.same(wrong, []);
    t.throws(() => hmac.xorExpansion(Buffer.alloc(257), Buffer.alloc(12)), RangeError);
  });
}

test('a wiped key computes nothing of use', async (t) => {
  const hmac = new ShortHmac('sha1', Buffer.alloc(20, 1));
  const before = expansion(hmac, Buffer.from('x'), 20);
  hmac.wipe();
  t.notSame(expansion(hmac, Buffer.from('x'), 20), before);
});
