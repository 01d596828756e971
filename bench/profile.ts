/**
 * `npm run bench:profile`: where the server's time goes, from V8's sampling profiler, in microseconds of CPU for one
 * connection. `--json FILE` keeps it for docs/performance.md.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { HandshakeLoad, LoadResult } from './load/handshakes.js';
import { machine } from './machine.js';
import { oldhello } from './peers/oldhello.js';
import type { Peer } from './peers/peer.js';
import { PARTS, partsOf, type CpuProfile, type Part } from './profile-parts.js';
import { Stage } from './stage.js';

export interface ProfileReport {
  readonly machine: ReturnType<typeof machine>;
  readonly profiles: readonly {
    readonly title: string;
    /** Microseconds of CPU for one connection. */
    readonly total: number;
    readonly parts: Readonly<Record<Part, number>>;
  }[];
}

const KINDS = [
  ['full', 'A full handshake: SSLv2-format hello, RSA, AES128-SHA'],
  ['resumed', 'A handshake resumed by session id, AES128-SHA'],
] as const;

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const stage = new Stage({ rounds: 1, milliseconds: 0, peers: undefined, quick: false });
process.on('exit', () => stage.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

function profiled(folder: string): Peer {
  const peer = oldhello('implicit');
  return {
    ...peer,
    command(setup) {
      const [node, ...rest] = peer.command(setup);
      return [node!, '--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder, ...rest];
    },
  };
}

async function profile([kind, title]: (typeof KINDS)[number]): Promise<ProfileReport['profiles'][number]> {
  const folder = join(stage.folder, `profile-${kind}`);
  const backend = await stage.startBackend('./load/greeter.js');
  const { port, process: server } = await stage.startOne(profiled(folder), backend);
  const play = async (milliseconds: number): Promise<LoadResult> => {
    const job: HandshakeLoad = {
      port,
      concurrency: 16,
      milliseconds,
      until: 'greeting',
      kind,
      suite: 'AES128-SHA',
    };
    const result = await stage.load<LoadResult>('./load/handshakes.js', job, milliseconds);
    if ('unable' in result) throw new Error(result.unable);
    return result;
  };
  await play(WARM_UP);
  const [cpu, from] = [server.cpu, microseconds()];
  const { count } = await play(MEASURED);
  const [used, to] = [server.cpu - cpu, microseconds()];
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  const [file] = readdirSync(folder);
  const recorded = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as CpuProfile;
  const shares = partsOf(recorded, from, to);
  const total = (1e6 * used) / count;
  const parts = Object.fromEntries(PARTS.map((part) => [part, total * shares[part]]));
  return { title, total, parts: parts as Record<Part, number> };
}

/** On the clock that the profiler uses too. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

const WARM_UP = 10_000;
const MEASURED = 8_000;

const profiles = [];
for (const kind of KINDS) profiles.push(await profile(kind));
const report: ProfileReport = { machine: machine(), profiles };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
for (const { title, total, parts } of profiles) {
  process.stdout.write(`\n${title}: ${total.toFixed(0)} us\n`);
  for (const part of PARTS) process.stdout.write(`${parts[part].toFixed(0).padStart(6)}  ${part}\n`);
}
process.exit();
