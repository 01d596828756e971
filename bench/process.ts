/** Processes under measurement: pinned to cores, and what the kernel says they used. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createInterface, type Interface } from 'node:readline';

/** What runs: one process or several. */
export interface Processor {
  /** CPU seconds so far. */
  readonly cpu: number;
}

export class Measured implements Processor {
  static readonly #alive = new Set<Measured>();
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: Interface | undefined;

  /**
   * @param cores as taskset has them
   * @param talk `pipe` for one that prints lines to be read
   */
  constructor(cores: string, command: readonly string[], talk: 'pipe' | 'ignore' = 'pipe') {
    this.child = spawn('taskset', ['-c', cores, ...command], { stdio: [talk, talk, 'inherit'] });
    this.#exited = once(this.child, 'exit');
    if (this.child.stdout !== null) this.#lines = createInterface({ input: this.child.stdout });
    Measured.#alive.add(this);
    this.child.once('exit', () => Measured.#alive.delete(this));
  }

  /** For the end of the benchmark, however it comes. */
  static killAll(): void {
    for (const one of Measured.#alive) one.#kill();
  }

  get pids(): number[] {
    return [this.child.pid!, ...descendants(this.child.pid!)];
  }

  /** CPU seconds so far, children included. */
  get cpu(): number {
    return cpuOf(this.pids);
  }

  /**
   * Bytes of memory that are this process's alone or its share of what several have (PSS), children included. Without
   * files: the program's own pages are shared with whoever runs the same program, such as the load.
   */
  get memory(): number {
    return this.pids.reduce((sum, pid) => sum + pss(pid), 0);
  }

  /**
   * The next line that it prints.
   * @throws Error where it ends without one or takes longer than `milliseconds`
   */
  async nextLine(milliseconds: number): Promise<string> {
    const limit = AbortSignal.timeout(milliseconds);
    const line = await Promise.race([
      once(this.#lines!, 'line', { signal: limit }).catch(() => ['']),
      this.#exited.then(() => ['']),
    ]);
    const text = String(line[0]);
    if (text === '')
      throw new Error(`${this.child.spawnargs.join(' ')} printed nothing in ${milliseconds} ms`);
    return text;
  }

  /** Sends an empty line, for which a script may wait. */
  nudge(): void {
    this.child.stdin!.write('\n');
  }

  async stop(): Promise<void> {
    this.#kill();
    await this.#exited;
  }

  #kill(): void {
    for (const pid of this.pids.reverse()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone by itself.
      }
    }
  }
}

/** Some of the processes under measurement. */
export function processorOf(pids: readonly number[]): Processor {
  return {
    get cpu() {
      return cpuOf(pids);
    },
  };
}

/** @param core as taskset has it; for all threads */
export function pin(pid: number, core: string): void {
  spawnSync('taskset', ['-a', '-cp', core, `${pid}`]);
}

/**
 * Waits until the process accepts on `port`.
 * @throws Error where it ends before it does, or takes longer than START_TIMEOUT_MS
 */
export async function accepting(port: number, { child }: Measured): Promise<void> {
  const began = performance.now();
  while (performance.now() - began < START_TIMEOUT_MS) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`${child.spawnargs.join(' ')} does not accept connections`);
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  const accepted = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return accepted;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function descendants(of: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(statOf(Number(name))?.[1])] as const);
  const below = (parent: number): number[] =>
    parents.flatMap(([pid, itsParent]) => (itsParent === parent ? [pid, ...below(pid)] : []));
  return below(of);
}

/** The fields of /proc/PID/stat from the state on; the name in front may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
}

function ticks(pid: number): number {
  const stat = statOf(pid);
  return stat === undefined ? 0 : Number(stat[11]) + Number(stat[12]);
}

function pss(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const kibibytes = [...rollup.matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+)/gm)].map(([, number]) =>
      Number(number),
    );
    return 1024 * kibibytes.reduce((sum, one) => sum + one, 0);
  } catch {
    return 0;
  }
}

const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK']).stdout.toString());

/** A hundred times what the slowest takes. */
const START_TIMEOUT_MS = 30_000;
