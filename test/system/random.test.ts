/** Random bytes from a page that is shared. */
import * as crypto from 'node:crypto';
import { test } from 'tap';
import { pooledRandomBytes } from '../../src/system/random.js';

test('every length is served, across the ends of pages, and nothing comes twice', async (t) => {
  const seen = new Set<string>();
  for (let length = 16; length < 6_000; length += 61) {
    for (let time = 0; time < 3; time += 1) {
      const bytes = pooledRandomBytes(length);
      t.equal(bytes.length, length);
      // A page that was not filled, or handed out again, would show as zeros or as a repetition.
      for (let at = 0; at + 16 <= length; at += 16) seen.add(bytes.toString('hex', at, at + 16));
    }
  }
  let pieces = 0;
  for (let length = 16; length < 6_000; length += 61) pieces += 3 * Math.floor(length / 16);
  t.equal(seen.size, pieces);
  t.notOk(seen.has('00'.repeat(16)));
});

test('what is done to bytes that were handed out is done to no others', async (t) => {
  const first = pooledRandomBytes(8);
  const copy = Buffer.from(first);
  const second = pooledRandomBytes(8);
  second.fill(0xff);
  t.same(first, copy);
  t.same(pooledRandomBytes(0), Buffer.alloc(0));
});

test('each byte of a page is handed out once, as it came, and is gone from the page', async (t) => {
  let page: Uint8Array = new Uint8Array();
  let next = 0;
  const randomFillSync = (bytes: Uint8Array): Uint8Array => {
    page = bytes;
    return bytes.map((_, at) => (bytes[at] = 1 + (next++ % 251)));
  };
  const { pooledRandomBytes } = await t.mockImport<typeof import('../../src/system/random.js')>(
    '../../src/system/random.js',
    { 'node:crypto': { ...crypto, randomFillSync } },
  );
  let handedOut = 0;
  for (const length of [28, 48, 1, 16, 4003]) {
    const expected = Array.from({ length }, (_, at) => 1 + ((handedOut + at) % 251));
    t.same([...pooledRandomBytes(length)], expected, `${length} bytes`);
    handedOut += length;
    t.equal(
      page.findIndex((byte) => byte !== 0),
      handedOut < page.length ? handedOut : -1,
      'none is left',
    );
  }
  t.equal(handedOut, page.length, 'to the last one');
  t.equal(next, page.length, 'with one page');
});
