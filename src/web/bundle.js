/**
 * Makes the two pages' files from their sources, as part of the build, after tsc: dist/admin/page.json holds what the
 * status page loads, by name, and dist/report/page.json what the report's page carries. One JSON file each, so that it
 * is found wherever the program is moved or bundled to.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = new URL('../../', import.meta.url);
const read = (file) => readFileSync(new URL(file, root), 'utf8');
const write = (file, content) => writeFileSync(new URL(file, root), JSON.stringify(content));

/** One script that runs in a browser, with everything it imports. */
async function script(entry) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, root))],
    tsconfig: fileURLToPath(new URL('tsconfig.browser.json', root)),
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'inline',
  });
  return outputFiles[0].text;
}

const style = `${read('node_modules/uplot/dist/uPlot.min.css')}\n${read('src/web/style.css')}`;
write('dist/admin/page.json', {
  'style.css': style,
  'icon.svg': read('src/web/icon.svg'),
  'status.js': await script('src/admin/page/browser/status.ts'),
});
write('dist/report/page.json', { style, script: await script('src/report/browser/report.ts') });
