/**
 * A program of an unpacked Debian package, run as if the package were installed: in a mount namespace whose root is
 * this machine's with the package's files laid over it, and in a process namespace that ends with it. Nothing outside
 * changes, and the network is this machine's. Needs root, as mail servers do.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface OverlayOptions {
  /** The folder below .peers/mta. */
  readonly name: string;
  /** A folder of the host that is seen in there under the same path. */
  readonly shared: string;
  /** Further files, by their path in there. */
  readonly files: Readonly<Record<string, string>>;
  /** Users that the package's scripts would have made. */
  readonly users: readonly string[];
  /** Run by sh as root, with the package's files in place; ends by `exec`ing the server in the foreground. */
  readonly script: string;
}

/** What is missing here to run it; undefined where nothing is. */
export function overlayLack(name: string): string | undefined {
  if (!existsSync(join(packageRoot(name), '.whole'))) return `needs ${name}, which .ci/install-mtas unpacks`;
  return process.getuid?.() === 0 ? undefined : 'mail servers start as root only';
}

/** @returns the server, whose output goes to `shared`/output */
export function startInOverlay({ name, shared, files, users, script }: OverlayOptions): ChildProcess {
  const laid = join(shared, 'root');
  const mount = join(shared, 'overlay');
  mkdirSync(mount);
  const everything = { ...accounts(users), ...OFFLINE, ...files, '/oldhello-test-start': script };
  for (const [path, text] of Object.entries(everything)) {
    mkdirSync(join(laid, dirname(path)), { recursive: true });
    writeFileSync(join(laid, path), text);
  }
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  return spawn('unshare', [...namespaces, 'sh', '-ec', ENTER, 'sh', packageRoot(name), shared], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

export async function stopOverlay(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // unshare blocks SIGTERM; its child gets SIGKILL with it, and with that all processes of the namespace end.
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Uid and gid of the first of the `users` given to startInOverlay. */
export const FIRST_USER = 64_100;

function accounts(users: readonly string[]): Record<string, string> {
  const lines = (form: (name: string, id: number) => string): string =>
    users.map((name, index) => `${form(name, FIRST_USER + index)}\n`).join('');
  return {
    '/etc/passwd':
      readFileSync('/etc/passwd', 'utf8') +
      lines((name, id) => `${name}:x:${id}:${id}::/nonexistent:/bin/sh`),
    '/etc/group': readFileSync('/etc/group', 'utf8') + lines((name, id) => `${name}:x:${id}:`),
  };
}

const packageRoot = (name: string): string =>
  fileURLToPath(new URL(`../../../.peers/mta/${name}`, import.meta.url));

/** No server of the tests asks a name server, not even in vain. */
const OFFLINE = {
  '/etc/resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n',
};

/** $1: the unpacked package, $2: the shared folder. */
const ENTER = `
cd "$2/overlay"
mount -t tmpfs none .
cd "$2/overlay"
mkdir upper work root
cp -a "$1/." "$2/root/." upper
mount -t overlay none -o lowerdir=/,upperdir=upper,workdir=work root
mount --rbind /dev root/dev
mount -t proc none root/proc
mkdir -p "root$2"
mount --bind "$2" "root$2"
exec chroot root sh -e /oldhello-test-start >"$2/output" 2>&1
`;
