/**
 * Where a scenario is played: one core for the server under measurement, the other for the load and the backend, and a
 * certificate that all share.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer, Workers } from './peers/peer.js';
import { accepting, freePort, Measured, pin } from './process.js';
import type { Plan, Unable } from './rounds.js';

export const SERVER_CORE = '0';
export const LOAD_CORE = '1';
export const BOTH_CORES = '0,1';

export interface Options {
  readonly rounds: number;
  /** Milliseconds of load a peer and round. */
  readonly milliseconds: number;
  /** Names; undefined for all. */
  readonly peers: readonly string[] | undefined;
  /** For a smoke run: less of everything that has a size. */
  readonly quick: boolean;
}

export interface Running {
  readonly peer: Peer;
  readonly port: number;
  readonly process: Measured;
  /** Milliseconds from its being spawned to its first connection. */
  readonly startup: number;
}

export class Stage {
  readonly options: Options;
  readonly folder = mkdtempSync(join(tmpdir(), 'oldhello-bench-'));
  readonly certificate = join(this.folder, 'bench.crt');
  readonly key = join(this.folder, 'bench.key');
  /** Who is not here, and what it lacks. */
  readonly absent = new Map<string, string>();
  #backends: Measured[] = [];
  #running: Running[] = [];

  constructor(options: Options) {
    this.options = options;
    const subject = ['-subj', '/CN=bench.example', '-days', '30'];
    const files = ['-keyout', this.key, '-out', this.certificate];
    spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject]);
    pin(process.pid, LOAD_CORE);
  }

  /** @param share how many of the rounds that were asked for, for a scenario that has more to play than others */
  plan(share = 1, warmUps = 1): Plan {
    return { rounds: Math.ceil(share * this.options.rounds), warmUps: this.options.quick ? 0 : warmUps };
  }

  /** @returns the port of the backend that the script opens and prints */
  async startBackend(script: string, ...values: readonly number[]): Promise<number> {
    const command = [process.execPath, compiled(script), ...values.map(String)];
    const backend = new Measured(LOAD_CORE, command);
    this.#backends.push(backend);
    return Number(await backend.nextLine(GRACE_MS));
  }

  /** Those of `peers` that are here and asked for; the others are named. */
  present(peers: readonly Peer[]): Peer[] {
    return peers.filter(({ name, lack }) => {
      if (this.options.peers?.includes(name) === false) return false;
      const what = lack();
      if (what !== undefined) this.#leaveOut(name, what);
      return what === undefined;
    });
  }

  /** Starts those that are present. */
  async start(peers: readonly Peer[], backend: number): Promise<Running[]> {
    const running: Running[] = [];
    for (const peer of this.present(peers)) {
      try {
        running.push(await this.startOne(peer, backend));
      } catch (error) {
        this.#leaveOut(peer.name, (error as Error).message);
      }
    }
    return running;
  }

  #leaveOut(name: string, why: string): void {
    if (this.absent.get(name) === why) return;
    this.absent.set(name, why);
    process.stdout.write(`\n${name} is left out: ${why}\n`);
  }

  async startOne(peer: Peer, backend: number, workers: Workers = 1, cores = SERVER_CORE): Promise<Running> {
    const port = await freePort();
    const folder = mkdtempSync(join(this.folder, `${peer.name}-`));
    const { certificate, key } = this;
    const command = peer.command({ port, backend, certificate, key, folder, workers });
    const began = performance.now();
    const running: Running = { peer, port, process: new Measured(cores, command, 'ignore'), startup: 0 };
    this.#running.push(running);
    await accepting(port, running.process);
    return { ...running, startup: performance.now() - began };
  }

  /**
   * Runs a load script and returns the JSON it prints.
   * @param milliseconds how long its work should take
   */
  async load<T>(script: string, job: object, milliseconds: number, cores = LOAD_CORE): Promise<T | Unable> {
    const generator = new Measured(cores, [process.execPath, compiled(script), JSON.stringify(job)]);
    try {
      return JSON.parse(await generator.nextLine(milliseconds + GRACE_MS)) as T | Unable;
    } catch (error) {
      return { unable: (error as Error).message };
    } finally {
      await generator.stop();
    }
  }

  /** CPU seconds that the backends have used so far. */
  get backendCpu(): number {
    return this.#backends.reduce((sum, { cpu }) => sum + cpu, 0);
  }

  /** Starts a load script that goes on until it is stopped. */
  startLoad(script: string, job: object): Measured {
    const generator = new Measured(LOAD_CORE, [process.execPath, compiled(script), JSON.stringify(job)]);
    this.#backends.push(generator);
    return generator;
  }

  async stop(running: Running): Promise<void> {
    await running.process.stop();
    this.#running = this.#running.filter((one) => one.process !== running.process);
  }

  async clear(): Promise<void> {
    for (const { process: measured } of this.#running) await measured.stop();
    for (const backend of this.#backends) await backend.stop();
    this.#running = [];
    this.#backends = [];
  }

  /** For the very end, which may come at any moment. */
  close(): void {
    Measured.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function compiled(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}

/** Milliseconds for a load to start, to give up on a peer that no longer answers, and to end. */
const GRACE_MS = 10_000;
