/** HAProxy, whose parser and writer of PROXY headers set the standard, in front of the proxy or behind it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface HaProxy {
  readonly port: number;
  /** The next line of its log that was not asked for yet. */
  nextLine(): Promise<string>;
  stop(): void;
}

export function haProxyLack(): string | undefined {
  return spawnSync('haproxy', ['-v'], { stdio: 'ignore' }).status === 0 ? undefined : 'needs HAProxy';
}

/**
 * @param bind what follows `bind ADDRESS`
 * @param log a log-format
 * @param rules lines of the frontend
 * @param server what follows `server NAME`, its address first
 */
export function startHaProxy(options: {
  readonly bind: string;
  readonly log: string;
  readonly rules?: readonly string[];
  readonly server: string;
  /** Of a certificate with its key. */
  readonly pem?: string;
}): Promise<HaProxy> {
  return runHaProxy((port, folder) => {
    if (options.pem !== undefined) writeFileSync(join(folder, 'both.pem'), options.pem);
    return `global
  log stdout format raw local0
  tune.ssl.default-dh-param 2048
defaults
  mode tcp
  log global
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:${port} ${options.bind.replace('PEM', join(folder, 'both.pem'))}
  log-format "${options.log}"
${(options.rules ?? []).map((rule) => `  ${rule}\n`).join('')}  default_backend out
backend out
  server one ${options.server}
`;
  });
}

/** @param configure makes a configuration that listens on this port; files of its own go to the folder */
export async function runHaProxy(configure: (port: number, folder: string) => string): Promise<HaProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-haproxy-'));
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configure(port, folder));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let text = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (text + chunk.toString()).split('\n');
    text = parts.pop()!;
    lines.push(...parts);
  });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`HAProxy did not start: ${errors}`);
  }
  let asked = lines.length;
  return {
    port,
    async nextLine() {
      const index = asked++;
      while (lines.length <= index) await once(child.stdout, 'data');
      return lines[index]!;
    },
    stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(() => resolve(false), RETRY_MS));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Milliseconds between two looks whether it listens. */
const RETRY_MS = 50;
