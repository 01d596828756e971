/** Our HMAC for short messages against node:crypto's, which shares nothing with it. */
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { test } from 'tap';
import { ShortHmac } from '../../../src/tls/crypto/short-hmac.js';

function compute(hmac: ShortHmac, message: Uint8Array): string {
  const output = Buffer.alloc(hmac.outputLength);
  hmac.compute(message, output, 0);
  return output.toString('hex');
}

for (const algorithm of ['md5', 'sha1'] as const) {
  test(`${algorithm}: any key and message give what node:crypto gives, one key after another`, async (t) => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { minLength: 1, maxLength: 4 }), (key, messages) => {
        const hmac = new ShortHmac(algorithm, key);
        for (const message of messages) {
          const expected = createHmac(algorithm, key).update(message).digest('hex');
          if (compute(hmac, message) !== expected)
            throw new Error(`${key.length} and ${message.length} bytes`);
        }
      }),
      { numRuns: 500 },
    );
    t.pass('500 keys');
  });

  test(`${algorithm}: a key is hashed where it is longer than a block, and only there (RFC 2104, 2)`, async (t) => {
    const message = Buffer.from('what do ya want for nothing?');
    for (const length of [0, 1, 63, 64, 65, 128, 129]) {
      const key = Buffer.alloc(length, 0x0b);
      const expected = createHmac(algorithm, key).update(message).digest('hex');
      t.equal(compute(new ShortHmac(algorithm, key), message), expected, `${length} bytes`);
    }
  });

  test(`${algorithm}: every length around the ends of a block`, async (t) => {
    const key = Buffer.alloc(24, 7);
    const lengths = Array.from({ length: 140 }, (_, length) => length);
    const wrong = lengths.filter((length) => {
      const message = Buffer.alloc(length, length);
      return (
        compute(new ShortHmac(algorithm, key), message) !==
        createHmac(algorithm, key).update(message).digest('hex')
      );
    });
    t.same(wrong, []);
  });
}

test('of a key nothing is left in what all share once there is an object, and of its states nothing once it is wiped', async (t) => {
  const { compressSha1 } = await import('../../../src/tls/crypto/sha1.js');
  const blocks = new Set<Uint8Array>();
  const states = new Set<Int32Array>();
  const { ShortHmac: Spied } = await t.mockImport<typeof import('../../../src/tls/crypto/short-hmac.js')>(
    '../../../src/tls/crypto/short-hmac.js',
    {
      '../../../src/tls/crypto/sha1.js': {
        compressSha1: (state: Int32Array, block: Uint8Array, at: number): void => {
          states.add(state);
          blocks.add(block);
          compressSha1(state, block, at);
        },
      },
    },
  );
  const isWiped = (shared: Iterable<Uint8Array | Int32Array>): boolean =>
    [...shared].every((words) => words.every((word) => word === 0));
  const hmac = new Spied('sha1', Buffer.alloc(20, 1));
  t.equal(blocks.size, 1, 'the padded key');
  t.ok(isWiped(blocks));
  t.notOk(isWiped(states), 'not yet');
  compute(hmac, Buffer.from('x'));
  t.equal(blocks.size, 2, 'and the end of a message');
  hmac.wipe();
  t.ok(isWiped(blocks));
  t.ok(isWiped(states));
});

test('a wiped key computes nothing of use', async (t) => {
  const hmac = new ShortHmac('sha1', Buffer.alloc(20, 1));
  const before = compute(hmac, Buffer.from('x'));
  hmac.wipe();
  t.not(compute(hmac, Buffer.from('x')), before);
});
