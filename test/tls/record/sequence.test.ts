/** seq_num counts records and never repeats (RFC 5246, 6.1). */
import { test } from 'tap';
import { SequencedHeader } from '../../../src/tls/record/sequence.js';

test('each record has the next number, past the ends of bytes, and its own type and length', async (t) => {
  const header = new SequencedHeader(0x0302);
  let wrong = 0;
  for (let record = 0n; record < 70_000n; record += 1n) {
    const type = record % 2n === 0n ? 23 : 21;
    const length = Number(record % 16_385n);
    const bytes = header.next(type, length);
    const right =
      bytes.length === 13 &&
      bytes.readBigUInt64BE(0) === record &&
      bytes[8] === type &&
      bytes.readUInt16BE(9) === 0x0302 &&
      bytes.readUInt16BE(11) === length;
    if (!right) wrong += 1;
  }
  t.equal(wrong, 0);
});
