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
  web: { folders: [], modules: ['uplot'] },
  admin: { folders: ['config', 'observe', 'web'], modules: ['*'] },
  demo: { folders: ['config', 'credentials', 'observe', 'proxy-protocol'], modules: ['*', 'smtp-server'] },
  check: {
    folders: ['net', 'tls', 'smtp', 'policy', 'observe', 'credentials', 'system', 'config', 'proxy'],
    modules: ['*'],
  },
  report: { folders: ['observe', 'web'], modules: ['*'] },
  capture: { folders: [], modules: [] },
  census: { folders: ['capture', 'net', 'observe', 'report', 'tls'], modules: ['*'] },
  probe: { folders: ['net', 'tls', 'smtp', 'observe'], modules: ['*'] },
  'explain-hello': { folders: ['capture', 'net', 'tls', 'observe', 'proxy'], modules: [] },
  commands: {
    folders: [
      'explain-hello',
      'admin',
      'capture',
      'census',
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
const SANS_IO = ['tls', 'smtp', 'proxy-protocol', 'capture'];
const BANNED_GLOBALS =
  /\b(?:Date|setTimeout|setInterval|setImmediate|queueMicrotask|process|console|performance|fetch)\b/;

/** Everything below src. */
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(SRC, file), 'utf8');
  return [...source.matchAll(/^(?:import|export)\s[^'"]*?from\s+'([^']+)'/gms)].map(([, specifier]) => ({
    file,
    specifier: specifier!,
  }));
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

test('no file needs itself, by whatever way round, types included', async (t) => {
  t.same(circlesOf(imports), []);
  t.same(
    circlesOf(new Map([...imports, ['net/endpoint.ts', ['proxy/server.ts']]])).length > 0,
    true,
    'one is found',
  );
});

/** The files that every file imports, types included. */
const imports = new Map(
  files.map((file) => [
    file,
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(targetOf),
  ]),
);

/** The groups of files that can all be reached from each other (Tarjan's strongly connected components). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const order = new Map<string, number>();
  const earliest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    earliest.set(file, order.get(file)!);
    open.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (open.includes(target)) earliest.set(file, Math.min(earliest.get(file)!, earliest.get(target)!));
    }
    if (earliest.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort().join(' '));
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

/** The wings of src/proxy in the order of the road: each may import from those after it only. */
const WINGS = [
  'server.ts',
  'workers',
  'connection-runner.ts',
  'live-set.ts',
  'certificate-watch.ts',
  'small-dh-search.ts',
  'config-files.ts',
  'network-files.ts',
  'listener',
  'config-snapshot.ts',
  'connection',
  'termination',
  'backend',
  'resumption',
  'transport',
];

test('in src/proxy every import points down the road of a connection', async (t) => {
  const wingOf = (file: string): number => WINGS.indexOf(file.split('/')[1]!);
  const violations = [...imports]
    .filter(([file]) => folderOf(file) === 'proxy')
    .flatMap(([file, targets]) =>
      targets
        .filter((target) => folderOf(target) === 'proxy' && wingOf(target) < wingOf(file))
        .map((target) => `${file} imports ${target}`),
    );
  t.same(violations, []);
  const strangers = files.filter((file) => folderOf(file) === 'proxy' && wingOf(file) < 0);
  t.same(strangers, [], 'every wing has its place');
});

const PAGE = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');

/** Everything below src, folders too, and with and without the ending of a file. */
const paths = new Set(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' }).flatMap((name) => [
    name,
    name.replace(/\.ts$/, ''),
  ]),
);

const foldersIn = (folder: string): string[] =>
  readdirSync(join(SRC, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

test('the folders and files of src that docs/architecture.md names are there', async (t) => {
  const top = new Set(foldersIn('.'));
  const named = [...PAGE.matchAll(/(?<![\w./-])(?:src\/)?((?:[a-z][\w-]*\/)+[\w.-]*)/g)]
    .map(([, path]) => path!.replace(/[/.]+$/, ''))
    .filter((path) => top.has(path.split('/')[0]!));
  t.ok(named.length > 30);
  t.same(
    named.filter((path) => !paths.has(path)),
    [],
  );
});

test('docs/architecture.md has every folder of src in its table, and those of src/proxy in its picture', async (t) => {
  const table = [...PAGE.matchAll(/^\| `([a-z-]+)`/gm)].map(([, folder]) => folder!);
  t.same(table.sort(), foldersIn('.').sort());
  const picture = PAGE.slice(0, PAGE.indexOf('\n## Inside the engine'));
  t.same(
    foldersIn('proxy').filter((folder) => !picture.includes(`proxy/${folder}/`)),
    [],
  );
});

test('the imports that docs/architecture.md lists are those that are allowed here', async (t) => {
  const rows = [
    ...PAGE.matchAll(/^\| `([a-z-]+)` \| (nothing of ours|`[a-z-]+`(?:, `[a-z-]+`)*)(?:;.*)? \|$/gm),
  ];
  t.ok(rows.length > 12);
  for (const [, folder, list] of rows) {
    const listed = [...list!.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!);
    t.same(listed.sort(), MAY_IMPORT[folder!]!.folders.toSorted(), folder!);
  }
});
