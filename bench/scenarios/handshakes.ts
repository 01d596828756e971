/** Handshakes a second, with a connection to the backend and its greeting behind each. */
import { spawnSync } from 'node:child_process';
import type { HandshakeLoad } from '../load/handshakes.js';
import { floor, OTHERS, ours, RESUMING } from '../peers/implicit.js';
import type { Peer } from '../peers/peer.js';
import type { Comparison } from '../results.js';
import { interleave, type Contender, type Sample } from '../rounds.js';
import { SERVER_CORE, type Stage } from '../stage.js';
import { rated, RATE_COLUMNS } from './rate.js';

interface Variant {
  readonly title: string;
  readonly kind: HandshakeLoad['kind'];
  readonly suite: HandshakeLoad['suite'];
}

const FULL: readonly Variant[] = [
  { title: 'Full handshakes: SSLv2-format hello, RSA, AES128-SHA', kind: 'full', suite: 'AES128-SHA' },
  { title: 'Full handshakes: SSLv2-format hello, RSA, RC4-MD5', kind: 'full', suite: 'RC4-MD5' },
  { title: 'Full handshakes: SSLv2-format hello, RSA, 3DES', kind: 'full', suite: 'DES-CBC3-SHA' },
  {
    title: 'Full handshakes: record-format hello, ECDHE-RSA, AES128-SHA',
    kind: 'full',
    suite: 'ECDHE-RSA-AES128-SHA',
  },
];
const RESUMED: readonly Variant[] = [
  { title: 'Handshakes resumed by session id, AES128-SHA', kind: 'resumed', suite: 'AES128-SHA' },
];

/** As many at a time as keep any server busy and no queue long. */
const CONCURRENCY = 16;

export async function* fullHandshakes(stage: Stage): AsyncGenerator<Comparison> {
  yield* play(stage, FULL, [ours, floor, ...OTHERS], [rsaLimit]);
}

export async function* resumedHandshakes(stage: Stage): AsyncGenerator<Comparison> {
  yield* play(stage, RESUMED, [ours, ...RESUMING], []);
}

async function* play(
  stage: Stage,
  variants: readonly Variant[],
  peers: readonly Peer[],
  limits: readonly Contender[],
): AsyncGenerator<Comparison> {
  const backend = await stage.startBackend('./load/greeter.js');
  const running = await stage.start(peers, backend);
  for (const { title, kind, suite } of variants) {
    const contenders = running.map((one) => {
      const job: Omit<HandshakeLoad, 'milliseconds'> = {
        port: one.port,
        concurrency: CONCURRENCY,
        until: 'greeting',
        kind: one.peer === floor ? 'steps' : kind,
        suite,
      };
      return rated(stage, one, './load/handshakes.js', job);
    });
    yield {
      title,
      columns: RATE_COLUMNS,
      compared: { key: 'perSecond', better: 'above 1' },
      ...(await interleave(title, [...contenders, ...limits], stage.plan())),
      notes: [],
    };
  }
}

/** What the private key alone allows on the server's core. */
const rsaLimit: Contender = {
  name: 'RSA limit',
  measure() {
    const speed = ['openssl', 'speed', '-mr', '-seconds', '1', 'rsa2048'];
    const { stdout } = spawnSync('taskset', ['-c', SERVER_CORE, ...speed], { encoding: 'utf8' });
    const perSecond = Number(/^\+F2:\d+:2048:([\d.]+)/m.exec(stdout)?.[1]);
    const sample: Sample = { perSecond, cpu: 1e6 / perSecond };
    return Promise.resolve(perSecond > 0 ? sample : { unable: 'openssl speed printed nothing' });
  },
};
