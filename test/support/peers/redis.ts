/** A Redis for one test, on a port that the kernel chose, which keeps nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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

export function redisLack(): string | undefined {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'needs redis-server';
}

/**
 * @param more options, as on its command line
 * @param tls files of the certificate that it is to have; absent: it speaks without TLS
 */
export async function startRedis(
  port?: number,
  more: readonly string[] = [],
  tls?: { readonly chain: string; readonly key: string },
): Promise<Redis> {
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
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.includes('Ready to accept connections')) resolve();
    });
    void exited.then(([code]) => reject(new Error(`redis-server ended with ${code}`)));
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
