/** Fails where less of the code without I/O was run than before: the second half of `npm run test:coverage`. */
import { readFileSync } from 'node:fs';

/** Percent of all lines, functions and branches, as measured, rounded down. Raise them when more is covered. */
const FLOOR = { lines: 99, functions: 96, branches: 98 };

const summary = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'));

for (const [file, covered] of Object.entries(summary)) {
  const missing = Object.keys(FLOOR).filter((kind) => covered[kind].covered < covered[kind].total);
  if (file === 'total' || missing.length === 0) continue;
  const counts = missing.map((kind) => `${covered[kind].total - covered[kind].covered} ${kind}`);
  console.log(`${file.replace(/^.*\/src\//, 'src/')}: not run: ${counts.join(', ')}`);
}
for (const [kind, floor] of Object.entries(FLOOR)) {
  const { pct, total } = summary.total[kind];
  console.log(`${kind}: ${pct} % of ${total}, of at least ${floor} %`);
  if (total === 0 || !(pct >= floor)) process.exitCode = 1;
}
