/**
 * `npm run bench:profile`: where the server's time goes, from V8's sampling profiler, in microseconds of CPU for one
 * connection and in milliseconds for 100 MB. `--json FILE` keeps it for docs/performance.md.
 */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BulkLoad, BulkResult } from './load/bulk.js';
import type { HandshakeLoad, LoadResult } from './load/handshakes.js';
import { machine } from './machine.js';
import { oldhello } from './peers/oldhello.js';
import type { Peer } from './peers/peer.js';
import { freePort } from './process.js';
import { PARTS, partsOf, type CpuProfile, type Part } from './profile-parts.js';
import { Stage } from './stage.js';

interface Profile {
  readonly title: string;
  readonly total: number;
  readonly parts: Readonly<Record<Part, number>>;
}

export interface ProfileReport {
  readonly machine: ReturnType<typeof machine>;
  /** Microseconds of CPU for one connection. */
  readonly profiles: readonly Profile[];
  /** Milliseconds of CPU for 100 MB. */
  readonly transfers: readonly Profile[];
}

const HANDSHAKES = [
  ['full', 'A full handshake: SSLv2-format hello, RSA, AES128-SHA'],
  ['resumed', 'A handshake resumed by session id, AES128-SHA'],
] as const;
const TRANSFERS = [
  ['AES128-SHA', 'to the backend'],
  ['AES128-SHA', 'to the client'],
  ['RC4-MD5', 'to the backend'],
  ['RC4-MD5', 'to the client'],
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

/** @returns microseconds of CPU for each of what `play` says it has done in so many milliseconds */
async function profile(
  title: string,
  backend: number,
  play: (port: number, milliseconds: number) => Promise<number>,
): Promise<Profile> {
  const folder = mkdtempSync(join(stage.folder, 'profile-'));
  const { port, process: server } = await stage.startOne(profiled(folder), backend);
  await play(port, WARM_UP_MS);
  const [cpu, from] = [server.cpu, microseconds()];
  const count = await play(port, MEASURED_MS);
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

async function profileHandshakes([kind, title]: (typeof HANDSHAKES)[number]): Promise<Profile> {
  const backend = await stage.startBackend('./load/greeter.js');
  return profile(title, backend, async (port, milliseconds) => {
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
    return result.count;
  });
}

async function profileTransfers([suite, way]: (typeof TRANSFERS)[number]): Promise<Profile> {
  const backend = await freePort();
  return profile(`${suite} ${way}`, backend, async (port, milliseconds) => {
    const job: BulkLoad = { port, backend, way, suite, bytes: TRANSFER };
    let bytes = 0;
    for (const began = performance.now(); performance.now() - began < milliseconds; bytes += TRANSFER) {
      const result = await stage.load<BulkResult>('./load/bulk.js', job, TRANSFER_TIMEOUT_MS);
      if ('unable' in result) throw new Error(result.unable);
    }
    // In milliseconds for 100 MB is in microseconds for 100 KB.
    return bytes / 1e5;
  });
}

/** On the clock that the profiler uses too. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

const WARM_UP_MS = 15_000;
const MEASURED_MS = 8_000;
const TRANSFER_TIMEOUT_MS = 60_000;
/** Bytes. */
const TRANSFER = 200e6;

const profiles = [];
for (const kind of HANDSHAKES) profiles.push(await profileHandshakes(kind));
const transfers = [];
for (const kind of TRANSFERS) transfers.push(await profileTransfers(kind));
const report: ProfileReport = { machine: machine(), profiles, transfers };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
for (const [unit, all] of [['us', profiles] as const, ['ms for 100 MB', transfers] as const]) {
  for (const { title, total, parts } of all) {
    process.stdout.write(`\n${title}: ${total.toFixed(0)} ${unit}\n`);
    for (const part of PARTS) process.stdout.write(`${parts[part].toFixed(0).padStart(6)}  ${part}\n`);
  }
}
process.exit();
