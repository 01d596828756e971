/** The figures of docs/performance.md. */
import { test } from 'tap';
import { report } from '../../tools/docs/performance.js';

test('the figures that were kept are of every scenario, with oldhello in each', async (t) => {
  for (const { scenario, comparisons } of report.results) {
    t.ok(comparisons.length > 0, `${scenario} has figures`);
    for (const { title, rows } of comparisons)
      t.ok(
        rows.some(({ name }) => name === 'oldhello'),
        title,
      );
  }
});
