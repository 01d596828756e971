/** Where the content of a message ends, and where servers differ on it. */
import { test } from 'tap';
import { ChunkContent, chunkSize, DataContent } from '../../src/smtp/mail-content.js';
import { cuts } from '../support/gate-rig.js';

/** What the pieces end as, and how many bytes of all of them that took. */
function endOf(pieces: readonly string[]): string {
  const content = new DataContent();
  let before = 0;
  for (const piece of pieces) {
    const end = content.push(Buffer.from(piece, 'latin1'));
    if (end !== undefined) return `${end.kind} ${before + end.length}`;
    before += piece.length;
  }
  return 'none';
}

const CONTENTS: readonly (readonly [content: string, end: string])[] = [
  ['.\r\n', 'end 3'],
  ['x\r\n.\r\nQUIT', 'end 6'],
  ['\r\n.\r\n', 'end 5'],
  ['x\r\r\n.\r\n', 'end 7'],
  ['x\n\r\n.\r\n', 'end 7'],
  ['..\r\n.x\r\n. \r\n.\r\n', 'end 15'],
  ['x\r\n..\r\nx.\r\n', 'none'],
  ['x\r\n.\t\r\n', 'none'],
  ['x\n.\n', 'unclear 4'],
  ['x\n.\r\n', 'unclear 5'],
  ['x\r\n.\n', 'unclear 5'],
  ['.\n', 'unclear 2'],
  ['x\r.\n', 'unclear 4'],
  ['x\r.\r\n', 'unclear 5'],
  ['x\r\n\0.\r\n', 'unclear 7'],
  ['x\r\n.\0\r\n', 'unclear 7'],
  ['x\n\0\0.\0\n', 'unclear 7'],
  ['x\r\n.\ry', 'contradictory 6'],
  ['x\n.\ry', 'contradictory 5'],
  ['x\r.\r\r', 'contradictory 5'],
  ['x\r\n.\r\r\n', 'contradictory 6'],
];

for (const [content, end] of CONTENTS) {
  test(`${JSON.stringify(content)}: ${end}, in however many pieces it comes`, async (t) => {
    for (const pieces of cuts(content)) t.equal(endOf(pieces), end, JSON.stringify(pieces));
  });
}

test('a chunk ends after the number of bytes in BDAT, whatever they are', async (t) => {
  for (const pieces of cuts('\r\n.\r\nAUTH\r\nNOOP')) {
    const chunk = new ChunkContent(11);
    let passed = 0;
    for (const piece of pieces) {
      const end = chunk.push(Buffer.from(piece));
      passed += end?.length ?? piece.length;
      if (end !== undefined) break;
    }
    t.equal(passed, 11, JSON.stringify(pieces));
  }
  t.same(new ChunkContent(0).push(Buffer.alloc(0)), { kind: 'end', length: 0 });
});

test('a size that servers could read differently is none', async (t) => {
  t.equal(chunkSize(Buffer.from('BDAT 0\r\n')), 0);
  t.equal(chunkSize(Buffer.from('bdat 2147483647 last\r\n')), 2147483647);
  for (const line of [
    'BDAT',
    'BDAT ',
    'BDAT -1',
    'BDAT 010',
    'BDAT 0x10',
    'BDAT 1e3',
    'BDAT 10 ',
    'BDAT  10',
    ' BDAT 10',
    'BDAT\t10',
    'BDAT 10 LAST LAST',
    'BDAT 10 FIRST',
    'BDAT 2147483648',
    'BDAT 4294967297',
    'BDAT 99999999999999999999',
  ]) {
    t.equal(chunkSize(Buffer.from(`${line}\r\n`)), undefined, line);
  }
});
