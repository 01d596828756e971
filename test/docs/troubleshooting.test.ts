/** Every way to fail is explained. */
import { test } from 'tap';
import type { Explained } from '../../src/observe/explained.js';
import { LIMITS } from '../../src/policy/limits.js';
import { FAILURES } from '../../tools/docs/troubleshooting.js';

const EVERY: readonly (readonly [string, Explained])[] = [...Object.values(FAILURES), LIMITS].flatMap(
  (rows) => Object.entries<Explained>(rows),
);

test('every failure has one sentence about what happened, and one about what to do', async (t) => {
  for (const [code, row] of EVERY) {
    t.match(row.meaning, /^\S.{10,}[^.]$/s, `${code}: what happened`);
    t.match(row.remedy, /^(?:[a-z]).{2,}[^.]$/s, `${code}: what to do, as words that follow a colon`);
  }
});
