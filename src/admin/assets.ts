/**
 * The files that the status page loads. The build puts them into the folder `page` beside this file; in a bundle, that
 * is the folder `page` beside the bundle.
 */
import { readFileSync } from 'node:fs';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** By path. @throws what reading throws, where the installation is not complete */
export function loadAssets(folder: URL = new URL('./page/', import.meta.url)): ReadonlyMap<string, Asset> {
  return new Map(
    FILES.map((name) => {
      const body = readFileSync(new URL(name, folder));
      return [
        `/page/${name}`,
        { type: TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES], body },
      ];
    }),
  );
}

const FILES = [
  'style.css',
  'icon.svg',
  'uplot.css',
  'uplot.js',
  'browser.js',
  'chart.js',
  'html.js',
  'sorting.js',
  'summary.js',
  'tables.js',
  'words.js',
];

const TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;
