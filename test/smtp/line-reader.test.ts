/** What a reader of lines holds while nothing comes. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { LineReader } from '../../src/smtp/line-reader.js';

setFlagsFromString('--expose-gc');
// Else they are counted until a thread has freed them.
setFlagsFromString('--no-concurrent-array-buffer-sweeping');
const collect = runInNewContext('gc') as () => void;

test('a reader that has given all its lines holds none of the chunks', (t) => {
  const readers = Array.from({ length: 50 }, () => new LineReader({ maxLength: 512, bareLf: 'reject' }));
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers) {
    const chunk = Buffer.alloc(100_000);
    chunk.write('250-one\r\n250 two\r\n', chunk.length - 18);
    reader.push(chunk.subarray(chunk.length - 18));
    t.same(reader.next(), { line: Buffer.from('250-one\r\n') });
    t.same(reader.next(), { line: Buffer.from('250 two\r\n') });
    t.equal(reader.next(), undefined);
    t.equal(reader.buffered, 0);
  }
  collect();
  const left = (process.memoryUsage().arrayBuffers - before) / readers.length;
  t.ok(left < 10_000, `${left} bytes each`);
  t.end();
});
