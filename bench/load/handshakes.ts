/**
 * Connects, shakes hands, waits for one line of plaintext and closes, over and over on a few connections at a time.
 * Prints one line of JSON: how many, how long, how busy this process was, and how long a connection took.
 */
import { connect } from 'node:net';
import { percentile } from '../statistics.js';
import type { OldSession, SuiteName } from './old-client.js';
import { OldConnection } from './old-connection.js';
import { job, report, timed } from './report.js';

export interface HandshakeLoad {
  readonly port: number;
  readonly concurrency: number;
  readonly milliseconds: number;
  /** Connections are begun at this rate, however long each takes; absent: one after the other. */
  readonly perSecond?: number;
  /** When the clock stops: when the handshake is complete, or when the line of plaintext is there. */
  readonly until: 'established' | 'greeting';
  /** `steps` sends and takes as many bytes as a handshake does, and computes nothing. */
  readonly kind: 'full' | 'resumed' | 'steps';
  readonly suite: SuiteName;
}

export interface LoadResult {
  readonly count: number;
  readonly failed: number;
  /** Why the last of them failed. */
  readonly failure: string;
  readonly seconds: number;
  /** CPU seconds of the load generator. */
  readonly cpu: number;
  /** Milliseconds from connect to the line of plaintext, or to what else the load waits for. */
  readonly p50: number;
  readonly p99: number;
}

const load = job() as HandshakeLoad;
const latencies: number[] = [];
let failed = 0;
let failure = '';
let session: OldSession | undefined;
let over = false;

function shake(): Promise<void> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let greeted = false;
    const offered = session;
    const connection = OldConnection.to(
      load.port,
      load.suite,
      {
        established() {
          if (load.until === 'established') latencies.push(performance.now() - began);
        },
        data() {
          if (greeted) return;
          greeted = true;
          if (load.until === 'greeting') latencies.push(performance.now() - began);
          if (load.kind === 'resumed') session ??= connection.client.session;
          if (offered !== undefined && !connection.client.resumed)
            reject(new Error('it does not resume by id'));
          connection.end();
        },
        closed: (error) => (greeted ? resolve() : reject(error ?? new Error('closed before the greeting'))),
      },
      offered,
    );
    connection.socket.setTimeout(TIMEOUT_MS, () => connection.socket.destroy(new Error('it fell silent')));
  });
}

/** The floor's client: the same bytes in the same number of pieces. */
function steps(): Promise<void> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => socket.write(HELLO));
    let turn = 0;
    socket.on('data', () => {
      turn += 1;
      if (turn === 1) socket.write(SECOND_FLIGHT);
      if (turn === 2) {
        latencies.push(performance.now() - began);
        socket.end(CLOSE);
      }
    });
    socket.on('error', reject);
    socket.once('close', () => (turn >= 2 ? resolve() : reject(new Error('closed early'))));
  });
}

const action = load.kind === 'steps' ? steps : shake;

function fail(error: Error): void {
  failed += 1;
  failure = error.message;
}

async function repeat(): Promise<void> {
  while (!over) await action().catch(fail);
}

/** Begins a connection whenever one is due, and resolves when all have ended. */
async function onSchedule(perSecond: number): Promise<void> {
  const began = performance.now();
  const running: Promise<unknown>[] = [];
  while (!over) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    while (running.length < due) running.push(action().catch(fail));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
}

/** What a peer cannot do shows in the first two connections. */
async function main(): Promise<LoadResult> {
  await action();
  await action();
  latencies.length = 0;
  const { seconds, cpu } = await timed(() => {
    setTimeout(() => (over = true), load.milliseconds);
    return load.perSecond === undefined
      ? Promise.all(Array.from({ length: load.concurrency }, repeat))
      : onSchedule(load.perSecond);
  });
  latencies.sort((a, b) => a - b);
  const count = latencies.length;
  return {
    count,
    failed,
    failure,
    seconds,
    cpu,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

const HELLO = Buffer.alloc(46);
const SECOND_FLIGHT = Buffer.alloc(267 + 6 + 53);
const CLOSE = Buffer.alloc(37);

/** A connection that waits so long is a fault and not a delay. */
const TIMEOUT_MS = 5000;

report(main());
