/** What is generated in docs/ is what the program's tables say today. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { fill } from '../../tools/docs/blocks.js';
import { DOCS, PAGES } from '../../tools/docs/pages.js';

for (const [name, blocks] of Object.entries(PAGES)) {
  test(`docs/${name} is generated from the tables`, async (t) => {
    const page = readFileSync(new URL(name, DOCS), 'utf8');
    t.equal(page, fill(page, blocks()), 'npm run docs writes it anew');
  });
}

test('a block without its marks, or marks without a block, are refused', async (t) => {
  const page = '# Title\n\n<!-- generated: a -->\n\nold\n\n<!-- end of a -->\n';
  t.equal(fill(page, { a: 'new' }), page.replace('old', 'new'));
  t.throws(() => fill(page, { a: 'new', b: 'nowhere' }), /the page marks a; generated are a, b/);
  t.throws(() => fill(page, {}), /the page marks a/);
});
