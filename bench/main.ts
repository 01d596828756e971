/** `npm run bench`: plays scenarios side by side with other proxies and prints tables; see bench/README.md. */
import { parseArgs } from 'node:util';
import { fullHandshakes, resumedHandshakes } from './scenarios/handshakes.js';
import { Stage } from './stage.js';

const SCENARIOS: Record<string, (stage: Stage) => Promise<string>> = {
  handshakes: fullHandshakes,
  resumption: resumedHandshakes,
};

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    milliseconds: { type: 'string', default: '3000' },
    peers: { type: 'string' },
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
  rounds: Number(values.rounds),
  milliseconds: Number(values.milliseconds),
  peers: values.peers?.split(','),
});
for (const [name, play] of Object.entries(SCENARIOS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n## ${name}\n\n${await play(stage)}\n`);
}
await stage.close();
