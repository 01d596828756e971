/** Makes a frozen Config from a TOML file, or a ConfigError with all its problems. */
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

/** @throws ConfigError, also if the file cannot be read */
export function loadConfig(path: string, credentials: Credentials = CREDENTIALS): Config {
  return parseConfig(readSource(path), path, credentials);
}

/**
 * @param file name for error messages; relative paths inside are relative to its folder
 * @param credentials of systemd
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
  // One wrong value could cause more problems, which would only distract.
  if (problems.length === 0) problems.push(...crossCheck(config, positions));
  if (problems.length > 0) throw new ConfigError(file, problems, { readable: config });
  return deepFreeze(config);
}

/** Adds the lines of the file where the values are, if the file is unchanged. */
export function locate({ problems, cause }: UnusableValueError, file: string): ConfigError {
  const positions = positionsIn(file);
  const located = problems.map((problem) => ({ ...problem, line: positions?.lineOf(problem.key) }));
  return new ConfigError(file, located, { cause });
}

/** Positions of the keys in a file; undefined if it is no TOML any more. */
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
