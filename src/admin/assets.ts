/** The files that the status page loads. The build puts them into page.json beside this file; see web/bundle.js. */
import { readFileSync } from 'node:fs';

export interface Asset {
  readonly type: string;
  readonly body: string;
}

/** By path. @throws system errors, where the installation is not complete */
export function loadAssets(file: URL = new URL('./page.json', import.meta.url)): ReadonlyMap<string, Asset> {
  const files = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return new Map(
    Object.entries(files).map(([name, body]) => {
      const extension = name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES;
      return [`/page/${name}`, { type: TYPES[extension], body }];
    }),
  );
}

const TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;
