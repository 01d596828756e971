/**
 * Where a scenario is played: one core for the server under measurement, the other for the load and the backend, and a
 * certificate that all share.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer } from './peers/peer.js';
import { accepting, freePort, Measured } from './process.js';

export const SERVER_CORE = '0';
export const LOAD_CORE = '1';

export interface Options {
  readonly rounds: number;
  /** Milliseconds of load a peer and round. */
  readonly milliseconds: number;
  /** Names; undefined for all. */
  readonly peers: readonly string[] | undefined;
}

export interface Running {
  readonly peer: Peer;
  readonly port: number;
  readonly process: Measured;
}

export class Stage {
  readonly options: Options;
  readonly folder = mkdtempSync(join(tmpdir(), 'oldhello-bench-'));
  readonly certificate = join(this.folder, 'bench.crt');
  readonly key = join(this.folder, 'bench.key');
  #backends: Measured[] = [];
  #running: Running[] = [];

  constructor(options: Options) {
    this.options = options;
    const subject = ['-subj', '/CN=bench.example', '-days', '30'];
    const files = ['-keyout', this.key, '-out', this.certificate];
    spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject]);
  }

  /** @returns the port of the backend that the script opens and prints */
  async startBackend(script: string): Promise<number> {
    const backend = new Measured(LOAD_CORE, [process.execPath, compiled(script)]);
    this.#backends.push(backend);
    return Number(await backend.firstLine());
  }

  /** Those of `peers` that are here and asked for; the others are named. */
  async start(peers: readonly Peer[], backend: number, workers = 1): Promise<Running[]> {
    for (const peer of peers) {
      if (this.options.peers?.includes(peer.name) === false) continue;
      const lack = peer.lack();
      if (lack !== undefined) {
        process.stdout.write(`${peer.name} is left out: ${lack}\n`);
        continue;
      }
      const port = await freePort();
      const folder = mkdtempSync(join(this.folder, `${peer.name}-`));
      const { certificate, key } = this;
      const command = peer.command({ port, backend, certificate, key, folder, workers });
      const measured = new Measured(workers === 1 ? SERVER_CORE : `${SERVER_CORE},${LOAD_CORE}`, command);
      await accepting(port, measured);
      this.#running.push({ peer, port, process: measured });
    }
    return this.#running;
  }

  /** Runs a load script on its core and returns the JSON it prints. */
  async load<T>(script: string, job: object): Promise<T> {
    const generator = new Measured(LOAD_CORE, [process.execPath, compiled(script), JSON.stringify(job)]);
    return JSON.parse(await generator.firstLine()) as T;
  }

  async clear(): Promise<void> {
    for (const { process: measured } of this.#running) await measured.stop();
    for (const backend of this.#backends) await backend.stop();
    this.#running = [];
    this.#backends = [];
  }

  async close(): Promise<void> {
    await this.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function compiled(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}
