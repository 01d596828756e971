/** Reads tables of a parsed TOML document against their declarations, and collects everything that is wrong. */
import convict from 'convict';
import type { Problem } from './config-error.js';
import type { Format } from './formats.js';
import { nearest } from './did-you-mean.js';
import { resolvePath, type PathContext } from './paths.js';
import { pathOf, type Places } from './toml-positions.js';
import { LISTS, SECTIONS, type Key, type Keys, type Values } from './schema.js';
import { show } from './show.js';

export class TableReader {
  readonly #places: Places;
  readonly #paths: PathContext;
  readonly #problems: Problem[];

  /** @param problems is added to */
  constructor(places: Places, paths: PathContext, problems: Problem[]) {
    this.#places = places;
    this.#paths = paths;
    this.#problems = problems;
  }

  /** That there is no table but the declared ones, and that each has its kind of brackets. */
  checkTables(document: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(document)) {
      if (Object.hasOwn(SECTIONS, name)) {
        if (!isTable(value)) this.#problem(name, `found ${kindOf(value)}; write [${name}], there is one`);
      } else if (Object.hasOwn(LISTS, name)) {
        if (!Array.isArray(value)) {
          this.#problem(name, `found ${kindOf(value)}; write [[${name}]], there can be several`);
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
  #read<K extends Keys>(keys: K, table: string, path: string, written: Record<string, unknown>): Values<K> {
    const valid: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(written)) {
      const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
      if (key === undefined) this.#problem(pathOf(path, name), unknownKey(name, table, Object.keys(keys)));
      else if (this.#check(key.format, pathOf(path, name), value)) valid[name] = value;
    }
    for (const [name, { required, format, doc }] of Object.entries(keys)) {
      if (required && !Object.hasOwn(written, name)) {
        this.#problem(pathOf(path, name), `is missing; allowed: ${format.allowed}. ${doc}`);
      }
    }
    return this.#values(keys, path, valid);
  }

  #check({ element, ...format }: Format<unknown>, path: string, value: unknown): boolean {
    if (element !== undefined && Array.isArray(value)) {
      return value.map((one, index) => this.#check(element, `${path}[${index}]`, one)).every(Boolean);
    }
    const good = format.parse(value) !== undefined;
    if (!good) this.#problem(path, wrongValue(value, format));
    return good;
  }

  /** convict puts the defaults in; what is left to it to check was checked before, with line numbers. */
  #values<K extends Keys>(keys: K, path: string, valid: Record<string, unknown>): Values<K> {
    const schema = Object.fromEntries(
      Object.entries(keys).map(([name, { doc, default: standard }]) => [
        name,
        { doc, format: '*', default: standard },
      ]),
    );
    const config = convict<Record<string, unknown>>(schema);
    config.load(valid);
    config.validate({ allowed: 'strict' });
    const values = Object.entries(keys).map(([name, key]) => {
      return [camelCase(name), this.#value(key, pathOf(path, name), config.get(name))];
    });
    return Object.fromEntries(values) as Values<K>;
  }

  #value({ format }: Key<unknown>, path: string, written: unknown): unknown {
    if (written === undefined || written === null) return undefined;
    const value = format.parse(written);
    if (format.isPath !== true) return value;
    const resolved = resolvePath(value as string, this.#paths);
    if (typeof resolved === 'string') return resolved;
    this.#problem(path, resolved.mistake);
    return undefined;
  }

  #problem(path: string, message: string): void {
    this.#problems.push({ line: this.#places.lineOf(path), key: path, message });
  }
}

function wrongValue(value: unknown, { allowed, words = [], isHidden }: Format<unknown>): string {
  if (isHidden === true) return `is not ${allowed}`;
  const meant = typeof value === 'string' ? nearest(value, words) : undefined;
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  return `found ${show(value)}; allowed: ${allowed}${hint}`;
}

function unknownTable(name: string, value: unknown): string {
  const homes = isTable(value) ? [] : tablesWith(name);
  if (homes.length > 0) return `stands outside of every table; write it below ${homes.join(' or ')}`;
  const known = [...Object.keys(SECTIONS), ...Object.keys(LISTS)];
  const meant = nearest(name, known);
  return meant === undefined
    ? `unknown table; known are ${known.map(header).join(', ')}`
    : `unknown table; did you mean ${header(meant)}?`;
}

function unknownKey(name: string, table: string, known: readonly string[]): string {
  const homes = tablesWith(name);
  if (homes.length > 0) return `is not a key of ${header(table)}; write it below ${homes.join(' or ')}`;
  const meant = nearest(name, known);
  return meant === undefined
    ? `unknown key; known are ${known.join(', ')}`
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

function kindOf(value: unknown): string {
  return Array.isArray(value) && value.length > 0 && value.every(isTable) ? 'a list of tables' : show(value);
}

/** As Config has it. */
export function camelCase(key: string): string {
  return key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
