/** What a benchmark needs to know of a proxy it measures. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PeerSetup {
  readonly port: number;
  readonly backend: number;
  readonly certificate: string;
  readonly key: string;
  /** For whatever it wants to write. */
  readonly folder: string;
  readonly workers: number;
}

export interface Peer {
  readonly name: string;
  /** Why it cannot run here; undefined where it can. */
  readonly lack: () => string | undefined;
  /** The command that serves the port in the foreground and passes plaintext to the backend. */
  command(setup: PeerSetup): string[];
}

export function needs(path: string, debianPackage: string): () => string | undefined {
  return () => (existsSync(path) ? undefined : `no ${path}, which the package ${debianPackage} has`);
}

/** @returns the file's path */
export function write({ folder }: PeerSetup, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
