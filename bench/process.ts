/** Processes under measurement: pinned to a core, and what the kernel says they used. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

export class Measured {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** @param cores as taskset has them */
  constructor(cores: string, command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn('taskset', ['-c', cores, ...command], { stdio: ['ignore', 'pipe', 'inherit'], env });
    this.#exited = once(this.child, 'exit');
  }

  get pids(): number[] {
    return [this.child.pid!, ...descendants(this.child.pid!)];
  }

  /** CPU seconds so far, children included. */
  get cpu(): number {
    return this.pids.reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
  }

  /** Bytes of memory that are this process's alone or its share of what several have (PSS), children included. */
  get memory(): number {
    return this.pids.reduce((sum, pid) => sum + pss(pid), 0);
  }

  async firstLine(): Promise<string> {
    const lines = createInterface({ input: this.child.stdout! });
    const [line] = (await once(lines, 'line')) as [string];
    return line;
  }

  async stop(): Promise<void> {
    for (const pid of this.pids.reverse()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone by itself.
      }
    }
    await this.#exited;
  }
}

/**
 * Waits until the process accepts on `port`.
 * @throws Error where it ends before it does
 */
export async function accepting(port: number, { child }: Measured): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    const socket = connect({ port, host: '127.0.0.1' });
    const accepted = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (accepted) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function descendants(of: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => (statOf(Number(name))?.[1] === String(of) ? [Number(name)] : []));
  return children.flatMap((pid) => [pid, ...descendants(pid)]);
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

function ticks(pid: number): number {
  const stat = statOf(pid);
  return stat === undefined ? 0 : Number(stat[11]) + Number(stat[12]);
}

function pss(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return 1024 * Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK']).stdout.toString());
