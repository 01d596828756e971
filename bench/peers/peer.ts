/** What a benchmark needs to know of a proxy it measures. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As many as there are cores, for `auto`. */
export type Workers = number | 'auto';

export interface PeerSetup {
  readonly port: number;
  readonly backend: number;
  readonly certificate: string;
  readonly key: string;
  /** For whatever it wants to write. */
  readonly folder: string;
  readonly workers: Workers;
}

export interface Peer {
  readonly name: string;
  /** It is compiled while it runs, and has found its pace after some thousands of connections only. */
  readonly justInTime?: boolean;
  /** Why it cannot run here; undefined where it can. */
  readonly lack: () => string | undefined;
  /** The command that serves the port in the foreground and passes plaintext to the backend. */
  command(setup: PeerSetup): string[];
}

export const nothing = (): undefined => undefined;

export function needs(path: string, debianPackage: string): () => string | undefined {
  return () => (existsSync(path) ? undefined : `no ${path}, which the package ${debianPackage} has`);
}

/** @returns the file's path */
export function write({ folder }: PeerSetup, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Certificate and key in one file, as some want it. */
export function pem(setup: PeerSetup): string {
  return write(setup, 'both.pem', readFileSync(setup.certificate, 'utf8') + readFileSync(setup.key, 'utf8'));
}

/** A peer of ours, compiled beside this file. */
export function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
