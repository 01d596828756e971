/** Reads the tables of a parsed TOML document according to their declarations, and collects all problems. */
import type { Problem } from './config-error.js';
import { convictTable, type ConvictTable } from './convict-table.js';
import type { Format } from './formats.js';
import { didYouMean } from './did-you-mean.js';
import { resolvePath, type PathContext } from './paths.js';
import { LISTS, SECTIONS, type Keys, type Values } from './schema.js';
import { show } from './show.js';
import type { TomlTable } from './toml.js';
import { pathOf, type TomlPositions } from './toml-positions.js';

export class TableReader {
  readonly #positions: TomlPositions;
  readonly #paths: PathContext;
  readonly #problems: Problem[];

  /** @param problems new problems are added here */
  constructor(positions: TomlPositions, paths: PathContext, problems: Problem[]) {
    this.#positions = positions;
    this.#paths = paths;
    this.#problems = problems;
  }

  /** Checks that all tables are declared and have the right kind of brackets. */
  checkTables(document: TomlTable): void {
    for (const [name, value] of Object.entries(document)) {
      if (Object.hasOwn(SECTIONS, name)) {
        if (!isTable(value))
          this.#problem(name, `found ${kindOf(value)}; write [${name}], because there can be only one`);
      } else if (Object.hasOwn(LISTS, name)) {
        if (!Array.isArray(value)) {
          this.#problem(name, `found ${kindOf(value)}; write [[${name}]], because there can be several`);
        }
      } else this.#problem(pathOf('', name), unknownTable(name, value));
    }
  }

  readSection<K extends Keys>(keys: K, name: string, raw: unknown): Values<K> {
    return this.#read(keys, name, name, isTable(raw) ? raw : {});
  }

  readList<K extends Keys>(keys: K, name: string, raw: unknown): Values<K>[] {
    return (Array.isArray(raw) ? raw : []).flatMap((entry: unknown, index) => {
      const path = `${name}[${index}]`;
      if (isTable(entry)) return [this.#read(keys, name, path, entry)];
      this.#problem(path, `found ${show(entry)}; allowed: a table; write [[${name}]] and its keys below it`);
      return [];
    });
  }

  /** @param path of the table in the document */
  #read<K extends Keys>(keys: K, table: string, path: string, written: TomlTable): Values<K> {
    const loadable: TomlTable = {};
    for (const [name, value] of Object.entries(written)) {
      const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
      if (key === undefined) this.#problem(pathOf(path, name), unknownKey(name, table, Object.keys(keys)));
      else if (isLoadable(key.format, value)) loadable[name] = withCoercedElements(key.format, value);
      else this.#wrong(key.format, pathOf(path, name), value);
    }
    const values = convictTable(keys).load(loadable);
    this.#validate(values, keys, path, written);
    this.#findMissing(keys, path, written);
    return this.#valuesOf(values, keys, path);
  }

  /** convict only reports whether all values are valid; this finds the invalid ones and their lines. */
  #validate(values: ConvictTable, keys: Keys, path: string, written: TomlTable): void {
    try {
      values.validate({ allowed: 'strict' });
    } catch {
      for (const [name, value] of Object.entries(written)) {
        const format = Object.hasOwn(keys, name) ? keys[name]!.format : undefined;
        if (format === undefined || !isLoadable(format, value)) continue;
        if (!format.isValid(values.get(name))) this.#wrong(format, pathOf(path, name), value);
      }
    }
  }

  #findMissing(keys: Keys, path: string, written: TomlTable): void {
    for (const [name, { required, format, doc }] of Object.entries(keys)) {
      if (required && !Object.hasOwn(written, name)) {
        this.#problem(pathOf(path, name), `is missing; allowed: ${format.allowed}. ${doc}`);
      }
    }
  }

  /** For a list: each invalid element, with its own line. */
  #wrong({ element, ...format }: Format<unknown>, path: string, value: unknown): void {
    if (element === undefined || !Array.isArray(value) || value.length === 0) {
      this.#problem(path, wrongValue(value, format));
      return;
    }
    for (const [index, one] of value.entries()) {
      if (!isLoadable(element, one) || !element.isValid(coerced(element, one))) {
        this.#wrong(element, `${path}[${index}]`, one);
      }
    }
  }

  #valuesOf<K extends Keys>(values: ConvictTable, keys: K, path: string): Values<K> {
    const entries = Object.entries(keys).map(([name, { format }]) => {
      const value = values.get(name) ?? undefined;
      const isPath = format.isPath === true && typeof value === 'string';
      return [camelCase(name), isPath ? this.#resolve(pathOf(path, name), value) : value];
    });
    return Object.fromEntries(entries) as Values<K>;
  }

  #resolve(path: string, written: string): string | undefined {
    const resolved = resolvePath(written, this.#paths);
    if (typeof resolved === 'string') return resolved;
    this.#problem(path, resolved.mistake);
    return undefined;
  }

  #problem(path: string, message: string): void {
    this.#problems.push({ line: this.#positions.lineOf(path), key: path, message });
  }
}

/** convict coerces only strings, so a value of another type must not reach it. */
function isLoadable({ coerce }: Format<unknown>, value: unknown): boolean {
  if (typeof value === 'string') return true;
  return coerce === undefined && !isTable(value) && !(value instanceof Date);
}

/** convict does not coerce the elements of lists either. One of a wrong type becomes undefined, which no format allows. */
function withCoercedElements({ element, mayBeSingle }: Format<unknown>, written: unknown): unknown {
  const value = mayBeSingle === true && !Array.isArray(written) ? [written] : written;
  if (element === undefined || !Array.isArray(value)) return value;
  return value.map((one) => (isLoadable(element, one) ? coerced(element, one) : undefined));
}

function coerced({ coerce }: Format<unknown>, value: unknown): unknown {
  return coerce !== undefined && typeof value === 'string' ? (coerce(value) ?? value) : value;
}

function wrongValue(value: unknown, { allowed, words = [], isHidden }: Format<unknown>): string {
  if (isHidden === true) return `is not ${allowed}`;
  const meant = typeof value === 'string' ? didYouMean(value, words) : undefined;
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  return `found ${show(value)}; allowed: ${allowed}${hint}`;
}

function unknownTable(name: string, value: unknown): string {
  const homes = isTable(value) ? [] : tablesWith(name);
  if (homes.length > 0) return `is outside of every table; write it below ${homes.join(' or ')}`;
  const known = [...Object.keys(SECTIONS), ...Object.keys(LISTS)];
  const meant = didYouMean(name, known);
  return meant === undefined
    ? `unknown table; the tables are ${known.map(header).join(', ')}`
    : `unknown table; did you mean ${header(meant)}?`;
}

function unknownKey(name: string, table: string, known: readonly string[]): string {
  const homes = tablesWith(name);
  if (homes.length > 0) return `is not a key of ${header(table)}; write it below ${homes.join(' or ')}`;
  const meant = didYouMean(name, known);
  return meant === undefined
    ? `unknown key; the keys are ${known.join(', ')}`
    : `unknown key; did you mean ${meant}?`;
}

/** The headers of the tables that have this key. */
function tablesWith(key: string): string[] {
  const tables: [string, Keys][] = [...Object.entries(SECTIONS), ...Object.entries(LISTS)];
  return tables.filter(([, keys]) => Object.hasOwn(keys, key)).map(([table]) => header(table));
}

function header(table: string): string {
  return Object.hasOwn(LISTS, table) ? `[[${table}]]` : `[${table}]`;
}

/** Without the text of a string or a list: it may be meant for a key that is hidden. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'a string';
  if (!Array.isArray(value)) return show(value);
  return value.length > 0 && value.every(isTable) ? 'a list of tables' : 'a list';
}

/** The name of a key in Config. */
export function camelCase(key: string): string {
  return key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
