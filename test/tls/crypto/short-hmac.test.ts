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

test('a wiped key computes nothing of use', async (t) => {
  const hmac = new ShortHmac('sha1', Buffer.alloc(20, 1));
  const before = compute(hmac, Buffer.from('x'));
  hmac.wipe();
  t.not(compute(hmac, Buffer.from('x')), before);
});
