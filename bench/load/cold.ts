/**
 * One connection after another to a server that has just started, and what each group of them cost the server. Prints
 * one line of JSON.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { percentile } from '../statistics.js';
import type { SuiteName } from './old-client.js';
import { OldConnection } from './old-connection.js';
import { job, report } from './report.js';

export interface ColdLoad {
  readonly port: number;
  readonly suite: SuiteName;
  /** The processes of the server. */
  readonly pids: readonly number[];
  /** How many connections each group has. */
  readonly groups: readonly number[];
  /** Milliseconds between the end of one connection and the next. */
  readonly pause: number;
}

export interface Group {
  /** Microseconds of the server's CPU for one connection. */
  readonly cpu: number;
  /** Milliseconds from connect to the backend's greeting; the median. */
  readonly latency: number;
}

const load = job() as ColdLoad;

/** Milliseconds from connect to the backend's greeting, once the connection has closed. */
function shake(): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let latency: number | undefined;
    const connection = OldConnection.to(load.port, load.suite, {
      data() {
        latency ??= performance.now() - began;
        connection.end();
      },
      closed(error) {
        if (latency === undefined) reject(error ?? new Error('closed before the greeting'));
        else resolve(latency);
      },
    });
    connection.socket.setTimeout(TIMEOUT_MS, () => connection.socket.destroy(new Error('timed out')));
  });
}

/** Nanoseconds of CPU of all threads so far: finer than the ticks of /proc/PID/stat. */
function cpuTime(): number {
  const threads = load.pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((task) => `${pid}/task/${task}`),
  );
  return threads.reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${thread}/schedstat`, 'latin1').split(' ')[0]),
    0,
  );
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function playGroup(size: number): Promise<Group> {
  const before = cpuTime();
  const latencies: number[] = [];
  for (let n = 0; n < size; n += 1) {
    latencies.push(await shake());
    if (load.pause > 0) await pause(load.pause);
  }
  // What the server does after the close, such as its line in the log, belongs to this group.
  await pause(SETTLE_MS);
  latencies.sort((a, b) => a - b);
  return { cpu: (cpuTime() - before) / 1000 / size, latency: percentile(latencies, 0.5) };
}

async function main(): Promise<{ groups: Group[] }> {
  const groups: Group[] = [];
  for (const size of load.groups) groups.push(await playGroup(size));
  return { groups };
}

const SETTLE_MS = 50;
const TIMEOUT_MS = 5000;

report(main());
