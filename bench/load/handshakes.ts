/**
 * Connects, shakes hands, waits for one line of plaintext and closes, over and over on a few connections at a time.
 * Prints one line of JSON: how many, how long, how busy this process was, and how long a connection took.
 */
import { connect } from 'node:net';
import { percentile } from '../statistics.js';
import { OldClient, type OldSession, type SuiteName } from './old-client.js';

export interface HandshakeLoad {
  readonly port: number;
  readonly concurrency: number;
  readonly milliseconds: number;
  /** `steps` sends and takes as many bytes as a handshake does, and computes nothing. */
  readonly kind: 'full' | 'resumed' | 'steps';
  readonly suite: SuiteName;
}

export interface LoadResult {
  readonly count: number;
  readonly seconds: number;
  /** CPU seconds of the load generator. */
  readonly cpu: number;
  /** Milliseconds from connect to the line of plaintext. */
  readonly p50: number;
  readonly p99: number;
}

const load = JSON.parse(process.argv[2]!) as HandshakeLoad;
const latencies: number[] = [];
let session: OldSession | undefined;
let over = false;

function once(): Promise<void> {
  const client = new OldClient(load.suite, session);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => socket.write(client.hello()));
    const done = (): void => {
      latencies.push(performance.now() - began);
      if (load.kind === 'resumed') session ??= client.session;
      socket.end(client.closeNotify());
    };
    let greeted = false;
    socket.on('data', (bytes) => {
      try {
        const answer = client.receive(bytes, () => {
          if (!greeted) done();
          greeted = true;
        });
        if (answer.length > 0) socket.write(answer);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => (greeted ? undefined : reject(error)));
    socket.once('close', () => (greeted ? resolve() : reject(new Error('closed before the greeting'))));
  });
}

/** The floor's client: the same bytes in the same number of pieces. */
function steps(): Promise<void> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => socket.write(HELLO));
    let turn = 0;
    let finished = false;
    socket.on('data', () => {
      turn += 1;
      if (turn === 1) socket.write(SECOND_FLIGHT);
      if (turn === 2) {
        finished = true;
        latencies.push(performance.now() - began);
        socket.end(CLOSE);
      }
    });
    socket.on('error', reject);
    socket.once('close', () => (finished ? resolve() : reject(new Error('closed early'))));
  });
}

async function repeat(): Promise<void> {
  const action = load.kind === 'steps' ? steps : once;
  while (!over) await action();
}

const HELLO = Buffer.alloc(46);
const SECOND_FLIGHT = Buffer.alloc(267 + 6 + 53);
const CLOSE = Buffer.alloc(37);

/** What a peer cannot do shows in the first connection. */
async function main(): Promise<LoadResult> {
  if (load.kind !== 'steps') await once();
  latencies.length = 0;
  const began = performance.now();
  const busy = process.cpuUsage();
  setTimeout(() => (over = true), load.milliseconds);
  await Promise.all(Array.from({ length: load.concurrency }, repeat));
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(busy);
  latencies.sort((a, b) => a - b);
  return {
    count: latencies.length,
    seconds,
    cpu: (used.user + used.system) / 1e6,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

main().then(
  (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
  (error: unknown) => process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`),
);
