/** The constant-time reading of a CBC record's end gives what the plain way gives, for every padding there can be. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { checkPadding, extractMac } from '../../../src/tls/crypto/cbc-tail.js';

/** As RFC 5246, 6.2.3.2 and RFC 6101, 5.2.3.2 say it, with every branch one would write without attackers. */
function plainly(plaintext: Buffer, macLength: number, maxPadding: number | undefined) {
  const paddingLength = plaintext.at(-1)!;
  const fits = paddingLength + 1 + macLength <= plaintext.length;
  const padding = plaintext.subarray(Math.max(0, plaintext.length - 1 - paddingLength), -1);
  const right =
    maxPadding === undefined ? padding.every((byte) => byte === paddingLength) : paddingLength < maxPadding;
  return fits && right
    ? { good: 1, length: plaintext.length - 1 - paddingLength - macLength }
    : { good: 0, length: plaintext.length - 1 - macLength };
}

test('every padding_length at every record length is judged as the RFC says', async (t) => {
  let judged = 0;
  for (const macLength of [0, 16, 20, 32, 48]) {
    for (const length of [macLength + 1, macLength + 16, 64, 80, 256, 272, 320, 336, 1024]) {
      if (length <= macLength) continue;
      for (const maxPadding of [undefined, 8, 16]) {
        for (let paddingLength = 0; paddingLength < 256; paddingLength += 1) {
          const plaintext = randomBytes(length);
          plaintext.fill(paddingLength, Math.max(0, length - 1 - paddingLength));
          const verdict = checkPadding(plaintext, macLength, maxPadding);
          const expected = plainly(plaintext, macLength, maxPadding);
          if (verdict.good !== expected.good || verdict.length !== expected.length) {
            t.same(verdict, expected, `${paddingLength} of ${length}, MAC ${macLength}, ${maxPadding}`);
          }
          judged += 1;
        }
      }
    }
  }
  t.ok(judged > 30_000, `${judged} records`);
});

test('one wrong byte anywhere in TLS padding makes it bad; SSLv3 does not look (POODLE)', async (t) => {
  const macLength = 20;
  for (const paddingLength of [1, 15, 100, 255]) {
    for (let wrong = 0; wrong < paddingLength; wrong += 1) {
      const plaintext = Buffer.alloc(macLength + 300, 0x41);
      plaintext.fill(paddingLength, plaintext.length - 1 - paddingLength);
      plaintext[plaintext.length - 2 - wrong]! ^= 1 << (wrong % 8);
      if (checkPadding(plaintext, macLength, undefined).good !== 0) t.fail(`${wrong} of ${paddingLength}`);
      const ssl3 = checkPadding(plaintext, macLength, 16);
      t.equal(ssl3.good, paddingLength < 16 ? 1 : 0);
    }
  }
});

/** The bytes, and the places that were looked at, one after the other. */
function traced(bytes: Buffer): { plaintext: Buffer; trace: string[] } {
  const trace: string[] = [];
  const plaintext = new Proxy(bytes, {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) trace.push(key);
      return Reflect.get(target, key, target) as unknown;
    },
  });
  return { plaintext, trace };
}

test('the same bytes are read in the same order, whatever is in them (Lucky 13)', async (t) => {
  const macLength = 20;
  for (const length of [21, 64, 320]) {
    const ways = new Set<string>();
    for (let paddingLength = 0; paddingLength < 256; paddingLength += 1) {
      for (const fill of [paddingLength, paddingLength ^ 1]) {
        const bytes = Buffer.alloc(length, fill);
        bytes[length - 1] = paddingLength;
        const { plaintext, trace } = traced(bytes);
        const verdict = checkPadding(plaintext, macLength, undefined);
        extractMac(plaintext, verdict.length, macLength);
        ways.add(trace.join());
      }
    }
    t.equal(ways.size, 1, `${length} bytes`);
  }
});

test('the MAC is found wherever the padding leaves it', async (t) => {
  for (const macLength of [16, 20, 32, 48]) {
    const plaintext = randomBytes(400);
    for (let length = Math.max(0, 400 - macLength - 256); length <= 400 - macLength - 1; length += 1) {
      const found = extractMac(plaintext, length, macLength);
      if (!found.equals(plaintext.subarray(length, length + macLength))) t.fail(`${macLength} at ${length}`);
    }
    t.pass(`${macLength} bytes`);
  }
});
