/** A page of docs/ that is generated from the program's tables: checked by a test, written by `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';

const DOCS = new URL('../../docs/', import.meta.url);

/** @param page Markdown, as generated */
export function checkDoc(t: Test, name: string, page: string): void {
  const file = new URL(name, DOCS);
  if (process.env['OLDHELLO_WRITE_DOCS'] !== undefined) writeFileSync(file, page);
  t.equal(readFileSync(file, 'utf8'), page, `docs/${name} is current; npm run docs writes it`);
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
