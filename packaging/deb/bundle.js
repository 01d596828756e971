/**
 * The built program as few files as can be: the command line with everything it imports, and each script that a thread
 * or process of its own begins with. Files stay where they are in dist/, so that what they name relative to themselves
 * is found.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { build } from 'esbuild';

/**
 * @param {string} dist the built program
 * @param {string} target an empty folder; what is read from packages at run time comes to node_modules beside it
 */
export async function bundle(dist, target) {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)));
  for (const entry of ['cli.js', ...startedScripts(dist, files)]) await bundleEntry(dist, entry, target);
  const require = createRequire(join(resolve(dist), 'cli.js'));
  for (const file of namedBy(/require\.resolve\('([^']+)'\)/g, dist, files).map(({ name }) => name)) {
    cpSync(require.resolve(file), join(target, '../node_modules', file), { recursive: true });
  }
  for (const file of files.filter((name) => !/\.(?:js|d\.ts|map)$/.test(name))) {
    cpSync(join(dist, file), join(target, file), { recursive: true });
  }
}

/** Scripts that are named by `new URL('…', import.meta.url)`. */
function startedScripts(dist, files) {
  const named = namedBy(/new URL\('([^']+\.js)', import\.meta\.url\)/g, dist, files);
  return [...new Set(named.map(({ file, name }) => posix.join(dirname(file), name)))];
}

/** What a pattern's first group finds in the scripts of the program. */
function namedBy(pattern, dist, files) {
  return files
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => {
      const found = readFileSync(join(dist, file), 'utf8').matchAll(pattern);
      return [...found].map(([, name]) => ({ file, name }));
    });
}

async function bundleEntry(dist, entry, target) {
  const outfile = join(target, entry);
  await build({
    entryPoints: [join(dist, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    legalComments: 'eof',
    logLevel: 'warning',
    // Some of what is bundled is CommonJS, which asks for node's modules in its own way.
    banner: {
      js: "import { createRequire as createRequire$ } from 'node:module'; const require = createRequire$(import.meta.url);",
    },
    plugins: [keepUrls(dist, dirname(entry))],
  });
  const source = readFileSync(outfile, 'utf8');
  writeFileSync(outfile, source.replace(/^#!.*\n/, '#!/usr/bin/node\n'));
}

/** Lets each module of ours go on to name files relative to where it was. */
function keepUrls(dist, folder) {
  return {
    name: 'keep-urls',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const place = relative(resolve(dist), path);
        if (place.startsWith('..')) return undefined;
        const url = `new URL(${JSON.stringify(posix.relative(folder, place))}, import.meta.url).href`;
        return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', url), loader: 'js' };
      });
    },
  };
}
