/** A DNS zone that is signed, and a resolver that validates it, both of their own for one test. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SignedZone {
  /** Runs a command that has this resolver in its /etc/resolv.conf. */
  readonly runner: readonly string[];
  stop(): Promise<void>;
}

export function signedZoneLack(): string | undefined {
  for (const [program, name] of [
    ['unbound', 'unbound'],
    ['ldns-signzone', 'ldnsutils'],
  ] as const) {
    if (spawnSync(program, ['-V']).error !== undefined) return `needs ${program} (Debian package ${name})`;
  }
  return process.getuid?.() === 0 ? undefined : 'only root may have a resolv.conf of its own';
}

/** @param records lines of the zone file for `zone`, beside those of its name server */
export async function startSignedZone(zone: string, records: readonly string[]): Promise<SignedZone> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-zone-'));
  const file = (name: string): string => join(folder, name);
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8' }).trim();
  const own = [`@ IN SOA ns admin 1 3600 600 86400 300`, '@ IN NS ns', `ns IN A ${RESOLVER}`];
  writeFileSync(file('zone'), [`$ORIGIN ${zone}.`, '$TTL 300', ...own, ...records, ''].join('\n'));
  const key = run('ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', zone);
  run('ldns-signzone', '-f', 'signed', 'zone', key);
  writeFileSync(file('unbound.conf'), unboundConf(zone, folder, `${key}.key`));
  // Without the option the C library takes the resolver's word for nothing.
  writeFileSync(file('resolv.conf'), `nameserver ${RESOLVER}\noptions trust-ad\n`);
  const unbound = spawn('unbound', ['-c', file('unbound.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(unbound, 'exit');
  let said = '';
  for await (const chunk of unbound.stderr) {
    said += String(chunk);
    if (said.includes('start of service')) break;
  }
  if (!said.includes('start of service')) throw new Error(`unbound: ${said}`);
  const inNamespace = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  return {
    runner: ['unshare', '--mount', 'sh', '-c', inNamespace, file('resolv.conf')],
    async stop() {
      unbound.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It has the zone itself, and validates it like any other. */
function unboundConf(zone: string, folder: string, anchor: string): string {
  return `server:
  interface: ${RESOLVER}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  trust-anchor-file: "${anchor}"
  module-config: "validator iterator"
auth-zone:
  name: "${zone}"
  zonefile: "signed"
  for-upstream: yes
  for-downstream: no
  fallback-enabled: no
remote-control:
  control-enable: no
`;
}

/** No other resolver is on this address, and resolv.conf names no port. */
const RESOLVER = '127.0.0.9';
