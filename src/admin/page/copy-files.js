/** Puts the files of the status page that are no TypeScript beside what tsc made of the others. Part of the build. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COPIES = {
  'src/admin/page/style.css': 'style.css',
  'src/admin/page/icon.svg': 'icon.svg',
  'node_modules/uplot/dist/uPlot.iife.min.js': 'uplot.js',
  'node_modules/uplot/dist/uPlot.min.css': 'uplot.css',
};

const root = new URL('../../../', import.meta.url);
for (const [from, to] of Object.entries(COPIES)) {
  copyFileSync(fileURLToPath(new URL(from, root)), fileURLToPath(new URL(`dist/admin/page/${to}`, root)));
}
