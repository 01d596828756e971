/**
 * How oldhello is run so that its log goes to a file on a small disk of its own, and to us too. The disk is a tmpfs in a
 * mount namespace that goes away with the process, so nothing has to be cleaned up.
 */
import { spawnSync } from 'node:child_process';

export const LOG_FILE = 'oldhello.log';

export interface LogDisk {
  readonly runner: readonly [command: string, ...args: string[]];
  /** The folder as it is seen from here. */
  seen(pid: number): string | undefined;
}

/**
 * @param folder where the disk is mounted, or the log just lies
 * @param openFiles the limit that oldhello gets
 */
export function logDisk(folder: string, openFiles: number): LogDisk {
  const unshare = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])] as const;
  const mount = `mount -t tmpfs -o size=${SIZE} tmpfs '${folder}'`;
  const mountable = spawnSync('unshare', [...unshare.slice(1), 'sh', '-c', mount]).status === 0;
  const log = `'${folder}/${LOG_FILE}'`;
  const script = [
    ...(mountable ? [mount] : []),
    `: >${log}`,
    `tail --pid=$$ -n +1 -f ${log} &`,
    `ulimit -n ${openFiles}`,
    `exec "$@" >>${log}`,
  ].join('\n');
  return {
    runner: mountable ? [...unshare, 'bash', '-c', script, 'bash'] : ['bash', '-c', script, 'bash'],
    seen: (pid) => (mountable ? `/proc/${pid}/root${folder}` : undefined),
  };
}

/** Room for the log of half an hour. */
const SIZE = '128m';
