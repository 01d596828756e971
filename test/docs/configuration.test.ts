/** docs/configuration.md is made from the schema, and conf/ has every key with its true default and presets that load. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { parseConfig } from '../../src/config/load.js';
import { LISTS, SECTIONS, TABLES, type Key, type Keys } from '../../src/config/schema.js';
import { checkDoc, table } from '../support/generated-doc.js';

const CONF = new URL('../../conf/', import.meta.url);

type TableName = keyof typeof TABLES;
const keysOf = (name: TableName): Keys => ({ ...SECTIONS, ...LISTS })[name];
const header = (name: TableName): string => (name in LISTS ? `[[${name}]]` : `[${name}]`);
const names = Object.keys(TABLES) as TableName[];

/** As it stands in TOML. */
function standard({ required, default: value }: Key<unknown>): string {
  if (required) return 'required';
  return value === undefined ? 'unset' : `\`${JSON.stringify(value)}\``;
}

const PAGE = `# Configuration

Generated from the tables of the program by \`npm run docs\`; do not edit. The same as a commented file to start from is
\`conf/oldhello.toml\`.

The file is TOML 1.0, in UTF-8. Durations are written \`"500ms"\`, \`"30s"\`, \`"5m"\` or \`"1h"\`. Relative paths are
relative to the folder of the file; \`"credential:NAME"\` in a path's place is a credential of systemd, which the unit
hands over with \`LoadCredential=NAME:/path/to/the/file\`. A table, key or value that oldhello does not know stops it at
start, with exit code 2, the line, what is allowed, and what was probably meant.

Files to start from, in \`conf/\`:

${table(
  ['file', 'for'],
  presets().map(({ file, purpose }) => [`\`${file}\``, `${purpose}.`]),
)}

${names.map(section).join('\n\n')}
`;

function section(name: TableName): string {
  const rows = Object.entries(keysOf(name)).map(([key, declared]) => [
    `\`${key}\``,
    standard(declared),
    declared.format.allowed,
    declared.doc,
  ]);
  return `## ${header(name)}\n\n${TABLES[name]}\n\n${table(['key', 'default', 'allowed', 'meaning'], rows)}`;
}

/** Every file of conf/, with the sentence it begins with. */
function presets(): { file: string; purpose: string; source: string }[] {
  return readdirSync(CONF)
    .filter((file) => file.endsWith('.toml'))
    .map((file) => {
      const source = readFileSync(new URL(file, CONF), 'utf8');
      const [, purpose = ''] = /^# (.*?)[.:](?:\s|$)/s.exec(source.replace(/\n# /g, ' ')) ?? [];
      return { file, purpose, source };
    });
}

test('docs/configuration.md is what the schema says', async (t) => {
  checkDoc(t, 'configuration.md', PAGE);
});

test('every key has a sentence that says what it means', async (t) => {
  for (const name of names) {
    t.match(TABLES[name], /^[A-Z].*\.$/s, header(name));
    for (const [key, { doc }] of Object.entries(keysOf(name)))
      t.match(doc, /^[A-Z"].*[.)]$/s, `${name}.${key}`);
  }
});

/** The lines of conf/oldhello.toml from each header of this table to the next header. */
function partsOf(source: string, name: TableName): string {
  let inside = false;
  const lines = source.split('\n').filter((line) => {
    const opened = /^(?:# )?(\[\[?[a-z-]+\]\]?)/.exec(line)?.[1];
    if (opened !== undefined) inside = opened === header(name);
    return inside;
  });
  return lines.join('\n');
}

test('conf/oldhello.toml has every key, and where a key has a default it is the true one', async (t) => {
  const source = readFileSync(new URL('oldhello.toml', CONF), 'utf8');
  for (const name of names) {
    const part = partsOf(source, name);
    for (const [key, declared] of Object.entries(keysOf(name))) {
      const written = new RegExp(`^(?:# )?${key} = (.*?)\\s*(?: #.*)?$`, 'm').exec(part)?.[1];
      if (written === undefined) t.fail(`${header(name)} has no ${key}`);
      else if (declared.default === undefined || isEmptyList(declared.default))
        t.ok(written, `${name}.${key} is there`);
      else t.equal(written, JSON.stringify(declared.default), `${name}.${key} has its default`);
    }
  }
});

/** What may stand in the place of such a default behind a # is an example. */
function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

test('every preset in conf/ is accepted, and says first what it is for', async (t) => {
  for (const { file, purpose, source } of presets()) {
    t.match(purpose, /^[A-Z].{20,}/, file);
    t.ok(parseConfig(source, `/etc/oldhello/${file}`, undefined).listeners.length > 0, `${file} is accepted`);
  }
});
