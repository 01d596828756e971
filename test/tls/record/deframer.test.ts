/** Records come out of a stream as they went in, wherever it is cut, and nothing is kept that need not be. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'tap';
import { TlsError } from '../../../src/tls/alert.js';
import { Deframer } from '../../../src/tls/record/deframer.js';
import { record } from '../../support/reference-protection.js';

const MAX = 300;

test('however a stream is cut and whenever it is read, the records are the same', async (t) => {
  const fragments = fc.array(fc.uint8Array({ maxLength: MAX }), { maxLength: 6 });
  const cuts = fc.array(fc.record({ length: fc.integer({ min: 0, max: 400 }), read: fc.boolean() }));
  fc.assert(
    fc.property(fragments, cuts, (contents, pieces) => {
      const stream = Buffer.concat(
        contents.map((content, index) => record(20 + (index % 4), 0x0301, content)),
      );
      const deframer = new Deframer(MAX, () => undefined);
      const seen: { type: number; version: number; content: string }[] = [];
      let pushed = 0;
      let taken = 0;
      const read = (): void => {
        for (let next = deframer.next(); next !== undefined; next = deframer.next()) {
          seen.push({ type: next.type, version: next.version, content: next.fragment.toString('hex') });
          taken += 5 + next.fragment.length;
          if (deframer.buffered !== pushed - taken) throw new Error('buffered');
        }
        if (deframer.buffered !== pushed - taken) throw new Error('buffered');
      };
      for (const { length, read: now } of [...pieces, { length: Infinity, read: true }]) {
        const piece = stream.subarray(pushed, pushed + length);
        deframer.push(Buffer.from(piece));
        pushed += piece.length;
        if (now) read();
      }
      const expected = contents.map((content, index) => ({
        type: 20 + (index % 4),
        version: 0x0301,
        content: Buffer.from(content).toString('hex'),
      }));
      if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error('other records');
    }),
    { numRuns: 1000 },
  );
  t.pass('1000 streams');
});

test('a record that lies in its chunk whole is not copied', async (t) => {
  const deframer = new Deframer(MAX, () => undefined);
  const records = ['one', 'two'].map((content) => record(23, 0x0301, Buffer.from(content)));
  const chunk = Buffer.concat(records);
  deframer.push(chunk);
  for (const at of [5, records[0]!.length + 5]) {
    const { fragment } = deframer.next()!;
    chunk[at] = 0x21;
    t.equal(fragment[0], 0x21);
  }
});

/** Reads one record that comes in pieces of `size` bytes, and gives what its content lies in. */
function readAndLeave(deframer: Deframer, size: number): WeakRef<ArrayBufferLike> {
  const stream = record(23, 0x0301, Buffer.alloc(10_000));
  for (let at = 0; at < stream.length; at += size) {
    // Memory of its own, as a socket's has: newer Nodes cut copies of this size from a pool that stays.
    deframer.push(Buffer.from(new Uint8Array(stream.subarray(at, at + size)).buffer));
    const next = deframer.next();
    if (next !== undefined) {
      deframer.next();
      return new WeakRef(next.fragment.buffer);
    }
  }
  throw new Error('no record');
}

test('a connection that is idle keeps nothing of what it has read', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (const size of [20_000, 6_000]) {
    const deframer = new Deframer(20_000, () => undefined);
    const read = readAndLeave(deframer, size);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    t.equal(read.deref(), undefined, `in pieces of ${size} bytes`);
    t.equal(deframer.buffered, 0);
  }
});

test('a header is judged as soon as it is there, and once', async (t) => {
  const judged: string[] = [];
  const deframer = new Deframer(MAX, (type, version) => judged.push(`${type} ${version.toString(16)}`));
  for (const byte of record(22, 0x0303, Buffer.alloc(10))) {
    deframer.push(Buffer.of(byte));
    deframer.next();
  }
  t.same(judged, ['22 303']);
  for (const length of [MAX, MAX + 1]) {
    const bounded = new Deframer(MAX, () => undefined);
    bounded.push(Buffer.from([23, 3, 1, length >> 8, length & 0xff]));
    if (length === MAX) t.equal(bounded.next(), undefined);
    else t.throws(() => bounded.next(), new TlsError('record_overflow', 'a fragment of 301 bytes'));
  }
});
