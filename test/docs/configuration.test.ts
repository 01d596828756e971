/** conf/ has every key with its true default and presets that load. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { parseConfig } from '../../src/config/load.js';
import { TABLES } from '../../src/config/schema.js';
import { header, keysOf, presets, tableNames, type TableName } from '../../tools/docs/configuration.js';

const CONF = new URL('../../conf/', import.meta.url);

test('every key has a sentence about its meaning', async (t) => {
  for (const name of tableNames) {
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
  for (const name of tableNames) {
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

test('every preset in conf/ is accepted, and begins with its purpose', async (t) => {
  for (const { file, purpose, source } of presets()) {
    t.match(purpose, /^[A-Z].{20,}/, file);
    t.ok(parseConfig(source, `/etc/oldhello/${file}`, undefined).listeners.length > 0, `${file} is accepted`);
  }
});
