/** Writes the generated blocks of docs/ anew: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fill } from './blocks.js';
import { DOCS, PAGES } from './pages.js';

for (const [name, blocks] of Object.entries(PAGES)) {
  const file = new URL(name, DOCS);
  const page = readFileSync(file, 'utf8');
  const filled = fill(page, blocks());
  if (filled === page) continue;
  writeFileSync(file, filled);
  console.log(`docs/${name} is written anew`);
}
