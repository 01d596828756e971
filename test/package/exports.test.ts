/** The package as npm would publish it: `oldhello/tls` resolves and runs in a project that has nothing else, with types. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PROGRAM = `
import { PRESETS, ServerConnection, TlsError, type ConnectionOutput, type ServerParameters } from 'oldhello/tls';

export function connect(parameters: ServerParameters, output: ConnectionOutput): ServerConnection {
  return new ServerConnection({ ...parameters, ...PRESETS.legacy }, output);
}
const reason: string = new TlsError('not_tls').reason;
console.log(reason, typeof ServerConnection);
// @ts-expect-error the types are there, so a wrong one is an error
const wrong: number = PRESETS.legacy.sslv2Hello;
`;

test('a tarball has the engine with its types, and the program', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-package-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of [
    'dist/cli.js',
    'dist/tls/index.d.ts',
    'README.md',
    'LICENSE',
    'examples/echo-server.js',
  ]) {
    t.ok(paths.includes(path), path);
  }
  t.same(
    paths.filter((path) => /^(?:src|test|bench)\//.test(path)),
    [],
  );

  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'oldhello'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    join(folder, filename),
    '--strip-components=1',
    '-C',
    join(modules, 'oldhello'),
  ]);
  for (const name of ['@types', 'undici-types'])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', 'program.ts'];
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), options, { cwd: folder });
  t.equal(
    execFileSync(process.execPath, ['program.js'], { cwd: folder, encoding: 'utf8' }),
    'not_tls function\n',
  );

  const inside = "import('oldhello/dist/tls/wire.js').catch(({ code }) => console.log(code))";
  t.equal(
    execFileSync(process.execPath, ['-e', inside], { cwd: folder, encoding: 'utf8' }),
    'ERR_PACKAGE_PATH_NOT_EXPORTED\n',
    'and nothing else can be imported',
  );
});
