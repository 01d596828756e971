/** `npm run bench`: plays scenarios side by side with other proxies and prints tables; see bench/README.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machine } from './machine.js';
import { conditions, ratios, tables, toJson, type Report } from './report.js';
import { render, type Comparison } from './results.js';
import { SCENARIOS } from './scenarios.js';
import { Stage } from './stage.js';

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    peers: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
  allowPositionals: true,
});
const names = SCENARIOS.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown scenario ${unknown.join(', ')}; known are ${names.join(', ')}\n`);
  process.exit(2);
}
const options = {
  rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
  milliseconds: Number(values.milliseconds ?? (values.quick ? 300 : 1500)),
  quick: values.quick,
};
const stage = new Stage({ ...options, peers: values.peers?.split(',') });
process.on('exit', () => stage.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const found = machine();
const results: { scenario: string; what: string; comparisons: Comparison[] }[] = [];

/** After each scenario, so that a run that is cut short has not been for nothing. */
function save(): Report {
  const report: Report = { machine: found, options, absent: Object.fromEntries(stage.absent), results };
  if (values.json !== undefined) writeFileSync(values.json, toJson(report));
  if (values.markdown !== undefined) writeFileSync(values.markdown, markdown(report));
  return report;
}

function markdown(report: Report): string {
  return `${conditions(report)}\n\n${ratios(report)}\n\n${tables(report)}\n`;
}

for (const { name, what, play } of SCENARIOS) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n## ${name}\n\n${what}\n`);
  const comparisons: Comparison[] = [];
  results.push({ scenario: name, what, comparisons });
  for await (const comparison of play(stage)) {
    comparisons.push(comparison);
    process.stdout.write(`\n${render(comparison)}\n`);
  }
  await stage.clear();
  save();
}
process.stdout.write(`\n## All ratios\n\n${conditions(save())}\n\n${ratios(save())}\n`);
