/** The container image: built from the Debian package on a Debian 13, it runs as an ordinary user, and mail goes through. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { hasPeer } from '../support/peers/require-peer.js';
import { followProgram } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';
import { DEBIAN_13, machineLack } from './booted-machine.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const lack =
  machineLack() ?? (existsSync('/usr/bin/buildah') ? undefined : 'needs buildah, to build and run the image');

test('the container runs as an ordinary user, and mail goes through', async (t) => {
  if (!hasPeer(t, 'buildah', lack)) return;
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-container-'));
  const store = [
    '--root',
    join(folder, 'store'),
    '--runroot',
    join(folder, 'run'),
    '--storage-driver=overlay',
  ];
  const buildah = (...args: string[]): string =>
    execFileSync('buildah', [...store, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
  t.teardown(() => {
    buildah('rm', '--all');
    buildah('rmi', '--all', '--force');
    rmSync(folder, { recursive: true, force: true });
  });
  execFileSync(process.execPath, ['packaging/deb/build.js', folder], { cwd: ROOT, stdio: 'ignore' });

  const base = buildah('from', 'scratch');
  execFileSync('cp', ['-a', `${DEBIAN_13}/.`, buildah('mount', base)]);
  buildah('umount', base);
  buildah('commit', '--quiet', '--rm', base, 'base');
  buildah(
    ...['build', '--quiet', '--isolation=chroot', '--build-arg=BASE=localhost/base', '--tag=oldhello'],
    ...['--file', join(ROOT, 'packaging/Containerfile'), folder],
  );
  t.match(buildah('inspect', '--type=image', 'localhost/oldhello'), /"User": "oldhello"/);

  const sink = await startTestSink();
  t.teardown(() => sink.close());
  const server = { 'state-directory': '/var/lib/oldhello' };
  writeFileSync(join(folder, 'oldhello.toml'), proxyConfig({ server, backend: { address: sink.port } }));
  const container = buildah('from', 'localhost/oldhello');
  const command = ['/usr/bin/oldhello', 'serve', '--config', '/etc/oldhello/oldhello.toml'];
  const mount = `${join(folder, 'oldhello.toml')}:/etc/oldhello/oldhello.toml:ro`;
  const child = spawn(
    'buildah',
    [...store, 'run', '--isolation=chroot', '--volume', mount, container, '--', ...command],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const program = await followProgram(child, 1, folder, () => undefined);
  t.match(await program.next('privileges'), { user: 'oldhello', capabilities: [] });
  const { pid } = await program.next('started');
  const client = await SmtpClient.connect(program.ports.get('mx')!);
  await client.reply();
  await client.command('EHLO client.example');
  await client.command('STARTTLS');
  await client.secure();
  await client.command('EHLO client.example');
  t.match(await client.deliver('a@old.example', 'b@new.example', 'hello'), /^250 /);
  t.match(await sink.next(), { from: 'a@old.example' });
  await client.command('QUIT');
  // With this isolation the process has the same number outside.
  process.kill(pid as number, 'SIGTERM');
  await program.next('stopped');
  await program.exited;
});
