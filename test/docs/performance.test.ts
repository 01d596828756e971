/** docs/performance.md, from the figures of the last benchmark that was kept. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { conditions, ratios, tables, type Report } from '../../bench/report.js';
import { checkDoc } from '../support/generated-doc.js';

const RESULTS = new URL('../../bench/results.json', import.meta.url);
const report = JSON.parse(readFileSync(RESULTS, 'utf8')) as Report;

const PAGE = `# Performance

Generated from \`bench/results.json\` by \`npm run docs\`; do not edit. \`npm run bench -- --json bench/results.json\` makes
the figures anew.

What oldhello costs, side by side with the proxies that could stand in its place, on one machine and in one run: the
server has a core to itself, and the clients and the mail server behind it have the other. The other proxies are
Debian's packages with TLS 1.0 enabled and OpenSSL's security level at 0, without which they refuse the clients that this
is about; those that cannot do what a table measures are named below it. \`node-tls\` is the proxy that anybody would write
with Node's own TLS.

${conditions(report)}

## How to read it

Rounds are interleaved: every server has its turn in each, and ratios are taken within a round. A figure is a median with
the smallest and the largest of the rounds behind it. \`oldhello to it\` is the ratio of the figure that the table is
about; its head says which side of 1 is good. \`server CPU us each\` is what the kernel charged the server for one, and
\`load core busy\` how much of the other core the clients and the backend used: where that is high, the rate says less
than the server's CPU time does. bench/README.md says what each program is and how it is set up.

## All ratios

${ratios(report)}

${tables(report)}
`;

test('docs/performance.md is what was measured', async (t) => {
  checkDoc(t, 'performance.md', PAGE);
});

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
