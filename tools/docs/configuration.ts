/** Every table and key of the configuration, from the schema. */
import { readdirSync, readFileSync } from 'node:fs';
import { LISTS, SECTIONS, TABLES, type Key, type Keys } from '../../src/config/schema.js';
import type { Blocks } from './blocks.js';
import { table } from './table.js';

const CONF = new URL('../../conf/', import.meta.url);

export type TableName = keyof typeof TABLES;

export const tableNames = Object.keys(TABLES) as TableName[];
export const keysOf = (name: TableName): Keys => ({ ...SECTIONS, ...LISTS })[name];
export const header = (name: TableName): string => (name in LISTS ? `[[${name}]]` : `[${name}]`);

export const configuration = (): Blocks => ({
  presets: table(
    ['file', 'for'],
    presets().map(({ file, purpose }) => [`\`${file}\``, `${purpose}.`]),
  ),
  keys: tableNames.map(section).join('\n\n'),
});

function section(name: TableName): string {
  const rows = Object.entries(keysOf(name)).map(([key, declared]) => [
    `\`${key}\``,
    standard(declared),
    declared.format.allowed,
    declared.doc,
  ]);
  return `## ${header(name)}\n\n${TABLES[name]}\n\n${table(['key', 'default', 'allowed', 'meaning'], rows)}`;
}

/** As it stands in TOML. */
function standard({ required, default: value }: Key<unknown>): string {
  if (required) return 'required';
  return value === undefined ? 'unset' : `\`${JSON.stringify(value)}\``;
}

/** Every file of conf/, with the sentence it begins with. */
export function presets(): { file: string; purpose: string; source: string }[] {
  return readdirSync(CONF)
    .filter((file) => file.endsWith('.toml'))
    .map((file) => {
      const source = readFileSync(new URL(file, CONF), 'utf8');
      const [, purpose = ''] = /^# (.*?)[.:](?:\s|$)/s.exec(source.replace(/\n# /g, ' ')) ?? [];
      return { file, purpose, source };
    });
}
