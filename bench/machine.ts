/** On what the figures were got: without it they say nothing. */
import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

export interface Machine {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** By program; what it says of itself. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What makes a program say its version, and where in the answer that is. */
const PROGRAMS: Readonly<Record<string, { readonly command: readonly string[]; readonly version: RegExp }>> =
  {
    openssl: { command: ['openssl', 'version'], version: /^OpenSSL (\S+)/ },
    nginx: { command: ['/usr/sbin/nginx', '-v'], version: /nginx\/(\S+)/ },
    hitch: { command: ['/usr/sbin/hitch', '--version'], version: /(\d[\d.]+)/ },
    haproxy: { command: ['/usr/sbin/haproxy', '-v'], version: /version (\S+)/ },
    stunnel: { command: ['/usr/bin/stunnel4', '-version'], version: /stunnel (\d\S*) on/ },
    revision: { command: ['git', 'rev-parse', '--short', 'HEAD'], version: /(\w+)/ },
  };

export function machine(): Machine {
  const versions: Record<string, string> = {
    node: process.versions.node,
    'OpenSSL of node': process.versions.openssl,
  };
  for (const [program, { command, version }] of Object.entries(PROGRAMS)) {
    const { stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
    if (error === undefined) versions[program] = version.exec(stdout + stderr)?.[1] ?? 'unknown';
  }
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    versions,
  };
}
