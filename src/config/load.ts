/** From a TOML file to a frozen Config, or to a ConfigError that names everything that is wrong with it. */
import { dirname } from 'node:path';
import { crossCheck } from './cross-check.js';
import { ConfigError, type Problem, type UnusableValueError } from './config-error.js';
import { LISTS, SECTIONS, type Config, type Values } from './schema.js';
import type { Credentials } from './paths.js';
import { readSource } from './source.js';
import { TableReader } from './table-reader.js';
import { parseToml } from './toml.js';
import type { TomlPositions } from './toml-positions.js';

export { ConfigError } from './config-error.js';

/** @throws ConfigError, also where the file cannot be read */
export function loadConfig(path: string, credentials: Credentials = CREDENTIALS): Config {
  return parseConfig(readSource(path), path, credentials);
}

/**
 * @param file the name that error messages carry; relative paths inside are relative to its folder
 * @param credentials those of systemd
 * @throws ConfigError
 */
export function parseConfig(source: string, file: string, credentials: Credentials = CREDENTIALS): Config {
  const { root, positions } = parseToml(source, file);
  const problems: Problem[] = [];
  const reader = new TableReader(positions, { folder: dirname(file), credentials }, problems);
  reader.checkTables(root);
  const section = <N extends keyof typeof SECTIONS>(name: N): Values<(typeof SECTIONS)[N]> =>
    reader.readSection(SECTIONS[name], name, root[name]);
  const list = <N extends keyof typeof LISTS>(name: N): Values<(typeof LISTS)[N]>[] =>
    reader.readList(LISTS[name], name, root[name]);
  const config: Config = {
    server: section('server'),
    listeners: list('listener'),
    backends: list('backend'),
    certificates: list('certificate'),
    tls: section('tls'),
    sessionStore: section('session-store'),
    policies: list('policy'),
    limits: section('limits'),
    log: section('log'),
    admin: section('admin'),
  };
  // What one wrong value would drag along is not worth telling.
  if (problems.length === 0) problems.push(...crossCheck(config, positions));
  if (problems.length > 0) throw new ConfigError(file, problems, { readable: config });
  return deepFreeze(config);
}

/** With the lines of the file that the values come from, if that still is as it was. */
export function locate({ problems, cause }: UnusableValueError, file: string): ConfigError {
  const positions = positionsIn(file);
  const located = problems.map((problem) => ({ ...problem, line: positions?.lineOf(problem.key) }));
  return new ConfigError(file, located, { cause });
}

/** Of the keys in a file; undefined where it is no TOML any more. */
export function positionsIn(file: string): TomlPositions | undefined {
  try {
    return parseToml(readSource(file), file).positions;
  } catch {
    return undefined;
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  }
  return Object.freeze(value);
}

/** systemd sets the variable for the service. */
const CREDENTIALS: Credentials = process.env['CREDENTIALS_DIRECTORY'];
