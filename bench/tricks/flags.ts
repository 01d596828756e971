/**
 * What the flag of src/system/v8.ts for bulk, and the smaller space for new objects, bring: a process with it and one
 * without it in turns, in CPU time.
 *
 * npm run bench:tricks
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LOAD = fileURLToPath(new URL('./flag-load.ts', import.meta.url));

interface Measured {
  /** Milliseconds of CPU. */
  readonly cpu: number;
  /** MiB, at the end. */
  readonly memory: number;
}

const CASES = [
  { load: 'bulk', flags: ['--no-concurrent-array-buffer-sweeping'] },
  { load: 'handshakes', flags: ['--max-semi-space-size=8'] },
] as const;

async function measure(load: string, flags: readonly string[]): Promise<Measured> {
  const loader = ['--import=./tools/typescript/import.js', '--expose-gc'];
  const { stdout } = await run(process.execPath, [...flags, ...loader, LOAD, load]);
  return JSON.parse(stdout) as Measured;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);

for (const { load, flags } of CASES) {
  const having: Measured[] = [];
  const lacking: Measured[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    having.push(await measure(load, flags));
    lacking.push(await measure(load, []));
  }
  const of = (all: readonly Measured[], what: keyof Measured): number => median(all.map((one) => one[what]));
  const cpu = of(having, 'cpu') / of(lacking, 'cpu');
  const memory = of(having, 'memory') / of(lacking, 'memory');
  const spread = lacking.map(({ cpu: each }) => each.toFixed(0)).join(' ');
  const measured = having.map(({ cpu: each }) => each.toFixed(0)).join(' ');
  console.log(`${load}: ${flags.join(' ')}`);
  console.log(
    `  CPU x${cpu.toFixed(2)}, memory x${memory.toFixed(2)} (with ${measured}; without ${spread} ms)`,
  );
}
