/** Hooks of Node's module loader: an import of x.js finds x.ts where there is only that, and esbuild removes the types. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

export async function resolve(specifier, context, nextResolve) {
  const typescript = specifier.replace(/^(\.{1,2}\/.*|file:.*)\.js(?=$|\?)/, '$1.ts');
  const resolved = await nextResolve(typescript, context).catch(() => undefined);
  return resolved !== undefined && exists(resolved.url) ? resolved : nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  const file = withoutQuery(url);
  if (!file.startsWith('file:') || !file.endsWith('.ts')) return nextLoad(url, context);
  const { code } = await transform(await readFile(fileURLToPath(file), 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    // With the sources, from which the coverage is counted.
    sourcemap: 'inline',
    sourcefile: file,
  });
  return { format: 'module', source: code, shortCircuit: true };
}

/** @param {string} url */
function exists(url) {
  return !url.startsWith('file:') || existsSync(fileURLToPath(withoutQuery(url)));
}

/** @param {string} url */
function withoutQuery(url) {
  return url.replace(/\?.*$/, '');
}
