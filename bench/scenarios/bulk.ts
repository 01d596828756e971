/** A great deal of data through one connection, each way, for each kind of cipher. */
import type { BulkLoad, BulkResult } from '../load/bulk.js';
import { bulkFloor, OTHERS, ours } from '../peers/implicit.js';
import { oldhello } from '../peers/oldhello.js';
import type { Peer } from '../peers/peer.js';
import { freePort } from '../process.js';
import type { Column, Comparison } from '../results.js';
import { interleave, type Contender, type Sample, type Unable } from '../rounds.js';
import type { Running, Stage } from '../stage.js';

/** TLS 1.2 and later is Node's where nothing else is configured, so the engine is a contender of its own there. */
const engine = oldhello('implicit', 'engine', 'oldhello-engine');

interface Kind {
  readonly title: string;
  readonly suite: BulkLoad['suite'];
  readonly modern: boolean;
  /** As much as takes most servers half a second or more. */
  readonly megabytes: number;
}

const KINDS: readonly Kind[] = [
  { title: 'TLS 1.2, AES128-GCM', suite: 'ECDHE-RSA-AES128-GCM-SHA256', modern: true, megabytes: 250 },
  { title: 'TLS 1.2, ChaCha20-Poly1305', suite: 'ECDHE-RSA-CHACHA20-POLY1305', modern: true, megabytes: 100 },
  { title: 'TLS 1.0, AES128-SHA', suite: 'AES128-SHA', modern: false, megabytes: 200 },
  { title: 'TLS 1.0, CAMELLIA128-SHA', suite: 'CAMELLIA128-SHA', modern: false, megabytes: 60 },
  { title: 'TLS 1.0, 3DES', suite: 'DES-CBC3-SHA', modern: false, megabytes: 20 },
  { title: 'TLS 1.0, RC4-MD5', suite: 'RC4-MD5', modern: false, megabytes: 100 },
];
const WAYS = ['to the backend', 'to the client'] as const;

const COLUMNS: readonly Column[] = [
  { key: 'perCore', head: 'MB per server CPU second', digits: 0 },
  { key: 'cpu', head: 'server CPU s per GB', digits: 2 },
  { key: 'rate', head: 'MB a second', digits: 0 },
  { key: 'busy', head: 'load core busy', digits: 2 },
];

export async function* bulk(stage: Stage): AsyncGenerator<Comparison> {
  const backend = await freePort();
  const running = await stage.start([ours, engine, bulkFloor, ...OTHERS], backend);
  for (const kind of KINDS) {
    for (const way of WAYS) {
      const title = `Bulk ${way}: ${kind.title}`;
      const able = running.filter(({ peer }) => canServe(peer, kind));
      const contenders = able.map((one): Contender => ({
        name: one.peer.name,
        measure: () => transfer(stage, one, backend, kind, way),
      }));
      // Every transfer takes about as long as a round of the other scenarios, and there are many kinds.
      const plan = stage.plan(0.5, 3);
      yield {
        title,
        columns: COLUMNS,
        compared: { key: 'perCore', better: 'above 1' },
        ...(await interleave(title, contenders, plan)),
        notes: [],
      };
    }
  }
}

function canServe(peer: Peer, { suite, modern }: Kind): boolean {
  if (peer === bulkFloor) return suite === 'AES128-SHA';
  return peer !== engine || modern;
}

async function transfer(
  stage: Stage,
  { peer, port, process: server }: Running,
  backend: number,
  { suite, megabytes }: Kind,
  way: BulkLoad['way'],
): Promise<Sample | Unable> {
  const size = stage.options.quick ? megabytes / 5 : megabytes;
  const job: BulkLoad = { port, backend, way, suite: peer === bulkFloor ? 'none' : suite, bytes: size * 1e6 };
  const before = server.cpu;
  const result = await stage.load<BulkResult>('./load/bulk.js', job, TRANSFER_TIMEOUT_MS);
  if ('unable' in result) return result;
  const used = Math.max(server.cpu - before, CLOCK_TICK_SECONDS);
  return {
    perCore: size / used,
    cpu: (1000 * used) / size,
    rate: size / result.seconds,
    busy: result.cpu / result.seconds,
  };
}

/** No CPU time is measured more exactly. */
const CLOCK_TICK_SECONDS = 0.01;
/** Milliseconds that a transfer may take, with encrypting beforehand. */
const TRANSFER_TIMEOUT_MS = 20_000;
