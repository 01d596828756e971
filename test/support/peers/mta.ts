/** What the mail servers of the tests have in common. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, watch, chmodSync, chownSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCredential } from '../../../src/credentials/credentials.js';
import type { BackendGuide, Setup } from '../../../tools/docs/backend-guides.js';

export interface Mta {
  /** The lines of a setup's [[backend]], for this very server. */
  backend(setup: Setup, identity?: string): string;
  /** Of its own TLS, in PEM. */
  readonly certificate: string;
  /** The next delivered message that was not asked for yet, headers and all; waits for it. */
  nextMessage(): Promise<string>;
  log(): string;
  /** Whether it was told to relay for its own host, so that it shows if oldhello's clients are taken for it. */
  readonly relaysForItself: boolean;
  /** Whether it can be told who a client is. */
  readonly knowsClients: boolean;
  stop(): Promise<void>;
}

/** A folder for one server, which all its users may enter. */
export function mtaFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `oldhello-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** A maildir that belongs to `uid`, and what arrives in it, in order. */
export function makeMaildir(folder: string, uid: number): { readonly next: () => Promise<string> } {
  const seen = new Set<string>();
  for (const name of ['', 'new', 'cur', 'tmp']) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), uid, uid);
  }
  const arrivals = join(folder, 'new');
  return {
    next: () =>
      new Promise((resolve) => {
        const look = (): void => {
          const name = readdirSync(arrivals).find((one) => !seen.has(one));
          if (name === undefined || seen.has(name)) return;
          seen.add(name);
          watcher.close();
          resolve(readFileSync(join(arrivals, name), 'latin1'));
        };
        const watcher = watch(arrivals, look);
        look();
      }),
  };
}

/** A port of the kernel's choice for each port that the documentation names. */
export async function freePorts(documented: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const probes = documented.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => once(probe, 'listening')));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')));
  return new Map(documented.map((port, index) => [port, ports[index]!]));
}

/** Waits until somebody listens on each port. @param failure what to say if the server is `gone` before that */
export async function untilListening(
  ports: Iterable<number>,
  gone: () => boolean,
  failure: () => string,
): Promise<void> {
  for (const port of ports) {
    while (!(await accepts(port))) {
      if (gone()) throw new Error(failure());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

export type Replacements = Iterable<readonly [documented: number | string, real: number | string]>;

/** Lines of the documentation with what a test has in place of what stands there. */
export function adapt(lines: string, replacements: Replacements): string {
  let adapted = lines;
  for (const [documented, real] of replacements)
    adapted = adapted.replaceAll(String(documented), String(real));
  return adapted;
}

/** All the lines that a guide has for one file of the server. */
export function linesFor(guide: BackendGuide, file: string): string {
  return Object.values(guide.setups)
    .flatMap(({ lines }) => lines[file] ?? [])
    .join('\n');
}

/** A certificate for backend.example that is its own authority, where all users of a server can read it. */
export function makeCertificate(folder: string): {
  readonly chain: string;
  readonly key: string;
  readonly pem: string;
} {
  const { chainPem } = selfSignedCredential(folder, 'backend.example');
  const [chain, key] = [join(folder, 'self-signed.crt'), join(folder, 'self-signed.key')];
  for (const file of [chain, key]) chmodSync(file, 0o644);
  return { chain, key, pem: chainPem };
}
