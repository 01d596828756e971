/** From a TOML file to a frozen Config, or to a ConfigError that names everything that is wrong with it. */
import convict from 'convict';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { crossCheck } from './cross-check.js';
import { ConfigError, type Problem } from './config-error.js';
import { locate } from './locate.js';
import { nearest } from './nearest.js';
import { LISTS, SECTIONS, type Config, type Keys, type Values } from './schema.js';

export { ConfigError } from './config-error.js';

/** @throws ConfigError, also where the file cannot be read */
export function loadConfig(path: string): Config {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(path, [{ message: `cannot be read: ${why}` }], { cause });
  }
  return parseConfig(source, path);
}

/**
 * @param file the name that error messages carry; relative paths inside are relative to its folder
 * @throws ConfigError
 */
export function parseConfig(source: string, file: string): Config {
  const document = parseToml(source, file);
  const problems: Problem[] = [];
  const reader = new TableReader(source, problems);
  reader.checkTables(document);
  const section = <N extends keyof typeof SECTIONS>(name: N): Values<(typeof SECTIONS)[N]> =>
    reader.read(SECTIONS[name], name, 0, document[name] ?? {});
  const list = <N extends keyof typeof LISTS>(name: N): Values<(typeof LISTS)[N]>[] => {
    const tables = document[name] ?? [];
    return (Array.isArray(tables) ? tables : []).map((table, index) =>
      reader.read(LISTS[name], name, index, table),
    );
  };
  const config: Config = {
    server: section('server'),
    listeners: list('listener'),
    backends: list('backend').map((one) => ({
      ...one,
      tlsCa: one.tlsCa && resolve(dirname(file), one.tlsCa),
    })),
    certificates: list('certificate').map((one) => withAbsolutePaths(one, dirname(file))),
    tls: section('tls'),
    policies: list('policy'),
    limits: section('limits'),
    log: section('log'),
  };
  // What one wrong value would drag along is not worth telling.
  if (problems.length === 0) problems.push(...crossCheck(config, source));
  if (problems.length > 0) throw new ConfigError(file, problems);
  return deepFreeze(config);
}

function parseToml(source: string, file: string): Record<string, unknown> {
  try {
    return parse(source);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [what] = cause.message.split('\n');
    throw new ConfigError(file, [{ line: cause.line, message: what ?? 'not TOML' }], { cause });
  }
}

/** Reads tables against their declarations and collects what is wrong. */
class TableReader {
  readonly #source: string;
  readonly #problems: Problem[];

  constructor(source: string, problems: Problem[]) {
    this.#source = source;
    this.#problems = problems;
  }

  checkTables(document: Record<string, unknown>): void {
    const known = [...Object.keys(SECTIONS), ...Object.keys(LISTS)];
    for (const [name, value] of Object.entries(document)) {
      const line = locate(this.#source, name, 0);
      if (!known.includes(name)) {
        this.#problems.push({ line, key: name, message: unknown('table', name, known) });
      } else if (name in LISTS && !Array.isArray(value)) {
        this.#problems.push({ line, key: name, message: `write [[${name}]], there can be several` });
      } else if (name in SECTIONS && !isTable(value)) {
        this.#problems.push({ line, key: name, message: `write [${name}], there is one` });
      }
    }
  }

  read<K extends Keys>(keys: K, table: string, index: number, raw: unknown): Values<K> {
    const prefix = table in LISTS ? `${table}[${index}]` : table;
    const written = isTable(raw) ? raw : {};
    const valid: Record<string, unknown> = {};
    const problem = (key: string, message: string): void => {
      this.#problems.push({
        line: locate(this.#source, table, index, key),
        key: `${prefix}.${key}`,
        message,
      });
    };
    for (const [key, value] of Object.entries(written)) {
      const declared = keys[key];
      if (declared === undefined) problem(key, unknown('key', key, Object.keys(keys)));
      else if (declared.format.parse(value) === undefined) {
        problem(key, `found ${JSON.stringify(value)}; allowed: ${declared.format.allowed}`);
      } else valid[key] = value;
    }
    for (const [key, { required, format, doc }] of Object.entries(keys)) {
      if (required && !(key in written)) problem(key, `is missing; allowed: ${format.allowed}. ${doc}`);
    }
    return parsedValues(keys, valid);
  }
}

/** convict puts the defaults in; what is left to it to check was checked above, with line numbers. */
function parsedValues<K extends Keys>(keys: K, valid: Record<string, unknown>): Values<K> {
  const schema = Object.fromEntries(
    Object.entries(keys).map(([key, { doc, default: standard }]) => [
      key,
      { doc, format: '*', default: standard },
    ]),
  );
  const config = convict<Record<string, unknown>>(schema);
  config.load(valid);
  config.validate({ allowed: 'strict' });
  const values = Object.entries(keys).map(([key, { format }]) => {
    const value = config.get(key);
    return [camelCase(key), value === undefined || value === null ? undefined : format.parse(value)];
  });
  return Object.fromEntries(values) as Values<K>;
}

function withAbsolutePaths(
  { chain, key, pkcs12, passphraseFile, use }: Config['certificates'][number],
  folder: string,
): Config['certificates'][number] {
  const absolute = (path: string | undefined): string | undefined => path && resolve(folder, path);
  return {
    chain: absolute(chain),
    key: absolute(key),
    pkcs12: absolute(pkcs12),
    passphraseFile: absolute(passphraseFile),
    use,
  };
}

function unknown(what: 'key' | 'table', name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined
    ? `unknown ${what}; known are ${known.join(', ')}`
    : `unknown ${what}; did you mean ${meant}?`;
}

function camelCase(key: string): string {
  return key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  }
  return Object.freeze(value);
}
