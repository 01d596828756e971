/**
 * Puts everything that the status page loads into one file, dist/admin/page.json, by name, so that it can be found
 * wherever the program is moved or bundled to. Part of the build, after tsc.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILES = {
  'style.css': 'src/admin/page/style.css',
  'icon.svg': 'src/admin/page/icon.svg',
  'uplot.js': 'node_modules/uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'node_modules/uplot/dist/uPlot.min.css',
  'browser.js': 'dist/admin/page/browser.js',
  'chart.js': 'dist/admin/page/chart.js',
  'html.js': 'dist/admin/page/html.js',
  'sorting.js': 'dist/admin/page/sorting.js',
  'summary.js': 'dist/admin/page/summary.js',
  'tables.js': 'dist/admin/page/tables.js',
  'words.js': 'dist/admin/page/words.js',
};

const root = new URL('../../../', import.meta.url);
const page = Object.entries(FILES).map(([name, file]) => [name, readFileSync(new URL(file, root), 'utf8')]);
writeFileSync(new URL('dist/admin/page.json', root), JSON.stringify(Object.fromEntries(page)));
