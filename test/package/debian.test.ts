/**
 * The Debian package, in a clean Debian root: it installs, the program in it works, removal leaves the configuration,
 * and a purge leaves nothing but the user. a stand-in carries
 * the Node that Debian 12 does not have.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { buildNodeStandIn } from '../support/node-stand-in.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { followProgram } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Made by .ci/debian-root. */
const DEBIAN = join(ROOT, '.peers/debian-root');

/** What is set for this machine, and by the test runner for its children, means nothing in another root. */
const INSIDE = ['/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8'];

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function newFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-deb-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns the package's file */
function buildPackage(folder: string, umask = '022'): string {
  mkdirSync(folder, { recursive: true });
  const build = `umask ${umask} && exec "$0" packaging/deb/build.js "$1"`;
  return execFileSync('sh', ['-c', build, process.execPath, folder], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
  }).trim();
}

/** Every path in the root, but for the books of dpkg, what it logs, and the backups that useradd makes of its files. */
function pathsOf(root: string): string[] {
  const paths = run('find', root, '-xdev', '-printf', '%P\n').split('\n');
  const noise =
    /^(?:(?:var\/lib\/dpkg|var\/log|var\/cache|tmp)\/|etc\/(?:passwd|shadow|group|gshadow|subuid|subgid)-$|etc\/\.pwd\.lock$)/;
  return paths.filter((path) => !noise.test(path)).sort();
}

const lack = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'only root can use chroot';
  return existsSync(join(DEBIAN, 'usr/bin/dpkg'))
    ? undefined
    : 'no .peers/debian-root; .ci/debian-root makes it';
};

test('the same sources make the same package, whoever builds it', async (t) => {
  const dpkg = existsSync('/usr/bin/dpkg-deb') ? undefined : 'no dpkg-deb';
  if (!hasPeer(t, 'dpkg-deb', dpkg)) return;
  const folder = newFolder(t);
  const [one, two] = [buildPackage(join(folder, 'one')), buildPackage(join(folder, 'two'), '077')];
  const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
  t.equal(digest(one), digest(two));
  t.match(run('dpkg-deb', '--field', one, 'Depends'), 'nodejs (>= 20.19)');
});

test('a package can be made from sources without git', (t) => {
  const dpkg = existsSync('/usr/bin/dpkg-deb') ? undefined : 'no dpkg-deb';
  if (hasPeer(t, 'dpkg-deb', dpkg)) {
    const folder = newFolder(t);
    const environment = { PATH: process.env['PATH'], GIT_DIR: join(folder, 'none'), TMPDIR: tmpdir() };
    execFileSync(process.execPath, ['packaging/deb/build.js', folder], { cwd: ROOT, env: environment });
    t.ok(readdirSync(folder).some((name) => name.endsWith('_all.deb')));
  }
  t.end();
});

test('the package installs in a clean Debian, works there, and leaves as it should', async (t) => {
  if (!hasPeer(t, 'a Debian root', lack())) return;
  const folder = newFolder(t);
  const root = join(folder, 'root');
  run('cp', '-a', '--reflink=auto', DEBIAN, root);
  const inside = (...command: string[]): string => run('chroot', root, ...INSIDE, ...command);
  run('cp', buildNodeStandIn(folder), join(root, 'tmp/nodejs.deb'));
  run('cp', buildPackage(folder), join(root, 'tmp/oldhello.deb'));
  inside('dpkg', '--force-unsafe-io', '-i', '/tmp/nodejs.deb');
  const before = pathsOf(root);

  inside('dpkg', '--force-unsafe-io', '-i', '/tmp/oldhello.deb');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  t.equal(inside('oldhello', '--version'), `${version}\n`);
  for (const page of ['man1/oldhello.1.gz', 'man5/oldhello.toml.5.gz']) {
    t.ok(existsSync(join(root, 'usr/share/man', page)), page);
  }
  t.ok(existsSync(join(root, 'usr/lib/systemd/system/oldhello.service')), 'the unit');
  t.match(
    inside('stat', '--format=%U:%G %a', '/etc/oldhello/tls'),
    'root:oldhello 750',
    'the place for keys',
  );
  inside('oldhello', 'report', '--html', '/tmp/report.html', '/dev/null');
  t.match(
    readFileSync(join(root, 'tmp/report.html'), 'utf8'),
    'Old hellos: report',
    'what its report takes from a package',
  );
  t.ok(existsSync(join(root, 'usr/lib/oldhello/dist/admin/page.json')), 'what its status page loads');
  await delivers(t, root);

  inside('dpkg', '-r', 'oldhello');
  t.notOk(existsSync(join(root, 'usr/bin/oldhello')), 'removed');
  t.notOk(existsSync(join(root, 'usr/lib/oldhello')), 'with all that it needed');
  t.match(
    readFileSync(join(root, 'etc/oldhello/oldhello.toml'), 'utf8'),
    'mine.example',
    'but for its configuration',
  );
  inside('dpkg', '-P', 'oldhello');
  t.strictSame(pathsOf(root), before, 'a purge leaves nothing but the user');
});

/**
 * With the configuration where it belongs, and all that is more than one file of code: worker processes, a key so long
 * that another thread decrypts with it, the status page, and the client of the session store.
 */
async function delivers(t: Test, root: string): Promise<void> {
  const sink = await startTestSink();
  t.teardown(() => sink.close());
  const at = (name: string): string => join(root, 'etc/oldhello', name);
  run(
    'openssl',
    ...['req', '-x509', '-newkey', 'rsa:3072', '-nodes', '-subj', '/CN=mine.example', '-days', '30'],
    ...['-keyout', join(root, 'tmp/mine.key'), '-out', join(root, 'tmp/mine.crt')],
  );
  writeFileSync(join(root, 'tmp/ticket.keys'), `${randomBytes(48).toString('base64')}\n`, { mode: 0o600 });
  writeFileSync(
    at('oldhello.toml'),
    proxyConfig({
      server: { hostname: 'mine.example', 'state-directory': undefined, workers: 2 },
      listeners: [{ mode: 'implicit' }],
      backend: { address: sink.port },
      certificates: [{ chain: '/tmp/mine.crt', key: '/tmp/mine.key' }],
      tls: { 'ticket-key-file': '/tmp/ticket.keys' },
      sessionStore: { url: 'redis://127.0.0.1:1' },
      admin: { address: '127.0.0.1:0' },
      log: { level: 'debug' },
    }),
  );
  const command = ['oldhello', 'serve', '--config', '/etc/oldhello/oldhello.toml'];
  // Of the mounts of another root only what oldhello reads; it goes away with the process.
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  const child = spawn('unshare', ['--mount', 'sh', '-c', enter, root, ...INSIDE, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const program = await followProgram(child, 1, root, () => undefined);
  t.match(await program.next('session_store_down'), { problem: /ECONNREFUSED/ });
  const client = `printf 'EHLO me.example\\r\\nMAIL FROM:<a@b.example>\\r\\nRCPT TO:<c@d.example>\\r\\nDATA\\r\\nhello\\r\\n.\\r\\nQUIT\\r\\n' |
    openssl s_client -connect 127.0.0.1:${program.ports.get('mx')} -quiet -tls1 -cipher AES128-SHA:@SECLEVEL=0`;
  const { stdout } = await promisify(execFile)('sh', ['-c', client]).catch(
    (error: unknown) => error as { stdout: string },
  );
  t.match(stdout, /^221 /m);
  t.match(await sink.next(), { from: 'a@b.example', tls: { version: 'TLSv1', cipher: 'AES128-SHA' } });
  t.match(await program.nextConnection(), {
    outcome: 'completed',
    tls: { path: 'engine', keyExchange: 'RSA' },
  });
  const [started, opened] = [await program.next('started'), await program.next('connection_opened')];
  t.not(opened['pid'], started['pid'], 'by a worker');
  const { port } = await program.next('admin_listening');
  const get = async (path: string): Promise<string> => {
    return (await fetch(`http://127.0.0.1:${String(port)}${path}`)).text();
  };
  t.match(await get('/metrics'), /^oldhello_connections_total\{.*outcome="completed".*\} 1$/m);
  t.match(await get('/metrics'), /^oldhello_processes 3$/m);
  const page = await get('/');
  t.match(page, 'mx');
  for (const [, asset = ''] of page.matchAll(/(?:src|href)="(\/?[^"#:]+\.(?:js|css))"/g)) {
    t.ok((await get(asset.replace(/^\/?/, '/'))).length > 500, asset);
  }
  t.equal(await program.stop(), 0);
}
