/** What a newcomer does first: the demo, and the commands the README gives to try it. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { hasPeer } from '../support/peers/require-peer.js';
import { startDemo, type Program } from '../support/program.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The README's line that has these words in it. */
function readmeCommand(words: string): string {
  const line = README.split('\n').find((one) => one.includes(words) && one.includes('2525'));
  if (line === undefined) throw new Error(`the README has no command with ${words}`);
  return line;
}

async function isFree(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const free = await Promise.race([
    once(socket, 'connect').then(() => false),
    once(socket, 'error').then(() => true),
  ]).catch(() => true);
  socket.destroy();
  return free;
}

/** @param program the built one, where it is no other */
async function withDemo(
  t: Test,
  use: (demo: Program) => Promise<void>,
  program?: readonly [string, ...string[]],
): Promise<void> {
  const busy = (await isFree(2525)) && (await isFree(4465)) ? undefined : 'port 2525 or 4465 is in use';
  if (!hasPeer(t, 'the ports of the demo', busy)) return;
  const home = mkdtempSync(join(tmpdir(), 'oldhello-demo-'));
  t.teardown(() => rmSync(home, { recursive: true }));
  const demo = await startDemo(home, program);
  await use(demo);
  t.equal(await demo.stop(), 0, 'and it ends well');
  const key = join(home, '.local/state/oldhello/demo-certificates/legacy.key');
  t.equal(statSync(key).mode & 0o777, 0o600, 'its private key is for nobody else');
}

test('the demo takes the mail of an SSLv2-format hello, sent with the line from the README', async (t) => {
  const java = spawnSync('java', ['-version']).error === undefined ? undefined : 'no JDK';
  if (!hasPeer(t, 'JDK', java)) return;
  await withDemo(t, async (demo) => {
    const { stdout } = await promisify(execFile)('bash', ['-c', readmeCommand('SmtpTlsClient')], {
      cwd: ROOT,
    });
    t.match(JSON.parse(stdout) as unknown, { ok: true, protocol: 'SSLv3' });
    const session = await demo.nextConnection();
    t.match(session, { outcome: 'completed', hello: { format: 'sslv2' }, tls: { suite: 'RC4-MD5' } });
    const delivered = demo.log.filter(({ event }) => event === 'delivered');
    t.match(delivered, [
      {
        from: 'a@old.example',
        to: ['b@new.example'],
        hello: 'sslv2',
        tls: { version: 'SSLv3', cipher: 'RC4-MD5' },
      },
    ]);
    t.ok(Number(delivered[0]?.['size']) >= README.length, 'the whole of it');
  });
});

function lackOfOpenssl(): string | undefined {
  return spawnSync('openssl', ['version']).error === undefined ? undefined : 'no openssl';
}

async function answersPrintedLine(t: Test, demo: Program): Promise<void> {
  const command = `printf 'EHLO me.example\\nQUIT\\n' | ${readmeCommand('s_client')}`;
  const { stdout } = await promisify(execFile)('bash', ['-c', command]);
  t.match(stdout, /^250.*me\.example|^250-localhost/m);
  t.match(stdout, /^221 /m);
  t.match(await demo.nextConnection(), { outcome: 'completed', tls: { path: 'engine', version: 'TLSv1' } });
}

test('the demo answers the openssl line that it prints', async (t) => {
  if (!hasPeer(t, 'OpenSSL', lackOfOpenssl())) return;
  await withDemo(t, (demo) => answersPrintedLine(t, demo));
});

test('installed with npm from its tarball, far from its sources, it runs the same demo', async (t) => {
  if (!hasPeer(t, 'OpenSSL', lackOfOpenssl())) return;
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-npm-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const tarball = npm(ROOT, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  npm(folder, 'install', '--global', '--prefix', folder, '--prefer-offline', join(folder, tarball));
  const bin = join(folder, 'bin/oldhello');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  t.equal(execFileSync(bin, ['--version'], { encoding: 'utf8' }), `${version}\n`);
  await withDemo(t, (demo) => answersPrintedLine(t, demo), [bin]);
});
