/** `npm run bench`: plays scenarios side by side with other proxies and prints tables; see bench/README.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { render, type Comparison } from './results.js';
import { bulk } from './scenarios/bulk.js';
import { deliveries } from './scenarios/deliveries.js';
import { fullHandshakes, resumedHandshakes } from './scenarios/handshakes.js';
import { growth, workers } from './scenarios/growth.js';
import { idle } from './scenarios/idle.js';
import { latency } from './scenarios/latency.js';
import { startup } from './scenarios/startup.js';
import { Stage } from './stage.js';

const SCENARIOS: Record<string, (stage: Stage) => AsyncGenerator<Comparison>> = {
  handshakes: fullHandshakes,
  resumption: resumedHandshakes,
  smtp: deliveries,
  bulk,
  idle,
  latency,
  startup,
  growth,
  workers,
};

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    peers: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !Object.hasOwn(SCENARIOS, name));
if (unknown.length > 0) {
  process.stderr.write(
    `unknown scenario ${unknown.join(', ')}; known are ${Object.keys(SCENARIOS).join(', ')}\n`,
  );
  process.exit(2);
}
const stage = new Stage({
  rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
  milliseconds: Number(values.milliseconds ?? (values.quick ? 500 : 2000)),
  peers: values.peers?.split(','),
  quick: values.quick,
});
process.on('exit', () => stage.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const results: Record<string, Comparison[]> = {};
for (const [name, play] of Object.entries(SCENARIOS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n## ${name}\n`);
  for await (const comparison of play(stage)) {
    (results[name] ??= []).push(comparison);
    process.stdout.write(`\n${render(comparison)}\n`);
  }
  await stage.clear();
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
