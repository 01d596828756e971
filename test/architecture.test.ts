/** Who may import whom, and what the parts without I/O may not touch. The rules are explained in docs/architecture.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** A folder's files may import from these folders of ours, and from these modules; `*` is any of node's. */
const MAY_IMPORT: Record<string, { folders: string[]; modules: string[] }> = {
  tls: { folders: [], modules: ['node:crypto'] },
  smtp: { folders: ['net'], modules: [] },
  net: { folders: [], modules: ['node:net'] },
  'proxy-protocol': { folders: ['net'], modules: [] },
  policy: { folders: ['net'], modules: ['node:net'] },
  observe: { folders: ['net', 'tls'], modules: ['node:crypto', 'node:perf_hooks', 'pino', 'prom-client'] },
  config: { folders: ['net', 'tls'], modules: ['*', 'convict', 'toml-eslint-parser'] },
  credentials: { folders: ['tls', 'config'], modules: ['*', 'node-forge'] },
  system: { folders: ['config'], modules: ['*'] },
  proxy: {
    folders: ['net', 'tls', 'smtp', 'proxy-protocol', 'policy', 'observe', 'credentials', 'system', 'config'],
    modules: ['*', '@redis/client'],
  },
  admin: { folders: ['config', 'observe'], modules: ['*', 'uplot'] },
  demo: { folders: ['config', 'credentials', 'observe', 'proxy-protocol'], modules: ['*', 'smtp-server'] },
  check: {
    folders: ['net', 'tls', 'smtp', 'observe', 'credentials', 'system', 'config', 'proxy'],
    modules: ['*'],
  },
  report: { folders: ['observe'], modules: ['*'] },
  probe: { folders: ['net', 'tls', 'smtp', 'observe'], modules: ['*'] },
  'explain-hello': { folders: ['tls', 'observe', 'proxy'], modules: [] },
  commands: {
    folders: [
      'explain-hello',
      'admin',
      'check',
      'config',
      'credentials',
      'demo',
      'net',
      'observe',
      'probe',
      'proxy',
      'report',
      'system',
    ],
    modules: ['*'],
  },
  '.': { folders: ['commands', 'config', 'credentials', 'system'], modules: ['*'] },
};

/** The parts that take bytes and give bytes: no clock, no timers, no process, no console. */
const SANS_IO = ['tls', 'smtp', 'proxy-protocol'];
const BANNED_GLOBALS =
  /\b(?:Date|setTimeout|setInterval|setImmediate|queueMicrotask|process|console|performance|fetch)\b/;

/** Everything below src. */
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(SRC, file), 'utf8');
  return [...source.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'/gms)].map(
    ([, type, specifier]) => ({
      file,
      specifier: specifier!,
      typeOnly: type !== undefined,
    }),
  );
}

const folderOf = (file: string): string => (file.includes('/') ? file.split('/')[0]! : '.');
const targetOf = ({ file, specifier }: Import): string =>
  relative(SRC, join(SRC, dirname(file), specifier)).replace(/\.js$/, '.ts');

test('every file imports only what its folder may', async (t) => {
  const violations: string[] = [];
  for (const file of files) {
    const folder = folderOf(file);
    const rule = MAY_IMPORT[folder];
    if (rule === undefined) {
      violations.push(`${folder} has no rule`);
      continue;
    }
    for (const one of importsOf(file)) {
      if (!one.specifier.startsWith('.')) {
        const node = one.specifier.startsWith('node:') && rule.modules.includes('*');
        if (!node && !rule.modules.includes(one.specifier))
          violations.push(`${file} imports ${one.specifier}`);
        continue;
      }
      const target = targetOf(one);
      const inside = folderOf(target) === folder || (folder === '.' && !target.includes('/'));
      if (!inside && !rule.folders.includes(folderOf(target))) violations.push(`${file} imports ${target}`);
      if (!inside && folderOf(target) === 'tls' && !['tls/index.ts', 'tls/wire-format.ts'].includes(target)) {
        violations.push(
          `${file} imports ${target}; from outside, tls/ is tls/index.ts and tls/wire-format.ts`,
        );
      }
    }
  }
  t.same(violations, []);
  t.ok(files.includes('tls/server-connection.ts'), 'and there are files to look at');
});

test('the engine, the gate and the PROXY protocol touch no clock, timer or process', async (t) => {
  const violations: string[] = [];
  for (const file of files.filter((name) => SANS_IO.includes(folderOf(name)))) {
    const code = readFileSync(join(SRC, file), 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/\/\/.*$/gm, '')
      .replace(/'[^'\n]*'|`[^`]*`/g, '');
    const found = BANNED_GLOBALS.exec(code);
    if (found !== null) violations.push(`${file} touches ${found[0]}`);
  }
  t.same(violations, []);
});

test('no file needs itself, by whatever way round', async (t) => {
  const violations: string[] = [];
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((one) => one.specifier.startsWith('.') && !one.typeOnly)
        .map(targetOf),
    ]),
  );
  const settled = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) violations.push([...path, file].join(' -> '));
    if (settled.has(file) || path.includes(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    settled.add(file);
  };
  for (const file of files) visit(file, []);
  t.same(violations, []);
  t.equal(settled.size, files.length);
});
