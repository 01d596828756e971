/**
 * A Debian that systemd boots in a container with a network of its own (systemd-nspawn). What is written in there is
 * gone afterwards. Clients run outside, in the network at the other end of its only cable.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const peer = (name: string): string => fileURLToPath(new URL(`../../.peers/${name}`, import.meta.url));
/** Made by the scripts of the same names in .ci. */
export const DEBIAN_13 = peer('debian-13');
export const DEBIAN_12 = peer('debian-12');
/** Of a network that conf/devices.toml takes for that of old devices. */
export const MACHINE = '192.168.50.2';
export const CLIENT = '192.168.50.9';

/** What is missing here to boot one; undefined where nothing is. */
export function machineLack(root = DEBIAN_13): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can boot a container';
  const name = basename(root);
  if (!existsSync(join(root, '.whole'))) return `no .peers/${name}; .ci/${name} makes it`;
  return existsSync('/usr/bin/systemd-nspawn') ? undefined : 'needs systemd-nspawn (systemd-container)';
}

export interface Ran {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

export class BootedMachine {
  readonly #container: ChildProcess;
  readonly #leader: string;

  private constructor(container: ChildProcess, leader: string) {
    this.#container = container;
    this.#leader = leader;
  }

  /** @param shared a folder of this machine, to be seen in there as /mnt */
  static async boot(shared: string, root = DEBIAN_13): Promise<BootedMachine> {
    const options = [
      ...['--quiet', '--boot', '--register=no', '--keep-unit', '--console=pipe', '--volatile=overlay'],
      ...['--network-veth', '--machine=oldhello', '--hostname=mx.example.com'],
      ...[`--directory=${root}`, `--bind-ro=${shared}:/mnt`],
    ];
    const container = spawn(
      'unshare',
      ['--mount', '--net', '--propagation=private', 'sh', '-c', ENTER, 'sh', ...options],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const leader = await until(BOOT_TIMEOUT_MS, () => leaderOf(container.pid!));
    const machine = new BootedMachine(container, leader);
    await until(BOOT_TIMEOUT_MS, async () => {
      const { output } = await machine.run('systemctl is-system-running --wait');
      return /^(?:running|degraded)$/m.test(output) || undefined;
    });
    await machine.run(`ip link set host0 up && ip address add ${MACHINE}/24 dev host0`);
    await machine.outside('ip', ['link', 'set', 'lo', 'up']);
    await machine.outside('ip', ['link', 'set', 've-oldhello', 'up']);
    await machine.outside('ip', ['address', 'add', `${CLIENT}/24`, 'dev', 've-oldhello']);
    return machine;
  }

  /** In the machine, as root, by bash, which stops at the first command that fails. */
  run(commands: string, timeout = COMMAND_TIMEOUT_MS): Promise<Ran> {
    const inside = ['--target', this.#leader, '--mount', '--uts', '--ipc', '--net', '--pid'];
    return execute(
      'nsenter',
      [...inside, '/usr/bin/env', '-i', ...ENVIRONMENT, 'bash', '-ec', `cd /root; ${commands}`],
      '',
      timeout,
    );
  }

  /** A program of this machine, in the network of the clients. @param input for its standard input */
  outside(command: string, args: readonly string[], input = ''): Promise<Ran> {
    const network = ['--target', String(this.#container.pid), '--net'];
    return execute('nsenter', [...network, command, ...args], input, COMMAND_TIMEOUT_MS);
  }

  /** Shuts it down in order. */
  async halt(): Promise<void> {
    const ended = once(this.#container, 'exit');
    this.#container.kill('SIGTERM');
    const timer = setTimeout(() => this.#container.kill('SIGKILL'), HALT_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** systemd 256 and later boot with the unified hierarchy of control groups only. */
const ENTER =
  'if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then ' +
  'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; fi; exec systemd-nspawn "$@"';
const ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'LC_ALL=C.UTF-8',
  'HOME=/root',
  'DEBIAN_FRONTEND=noninteractive',
  'SYSTEMD_PAGER=',
];

/** The first process in the container, by its number out here. */
function leaderOf(nspawn: number): string | undefined {
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'latin1');
      return status.includes('Name:\tsystemd\n') && status.includes(`PPid:\t${nspawn}\n`);
    } catch {
      return false;
    }
  });
  return children[0];
}

function execute(command: string, args: readonly string[], input: string, timeout: number): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { timeout, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: stdout + stderr });
      },
    );
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input);
  });
}

/** @throws Error when `find` finds nothing in time */
export async function until<T>(
  timeout: number,
  find: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + timeout;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not within ${timeout} ms`);
    await pause(POLL_INTERVAL_MS);
  }
}

const BOOT_TIMEOUT_MS = 90_000;
const HALT_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 200;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
