/** What is wrong with a configuration file: every problem at once, each with its place and what to do. */
import { readFileSync } from 'node:fs';
import { placesOf } from './toml-positions.js';

export interface Problem {
  /** 1 for the first; undefined where the problem is that something is absent. */
  readonly line?: number | undefined;
  /** `listener[0].mode` */
  readonly key?: string | undefined;
  readonly message: string;
}

export class ConfigError extends Error {
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map((problem) => render(file, problem)).join('\n'), options);
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

/** A value that is well written, but turned out not to work. */
export class UnusableValueError extends Error {
  readonly table: string;
  readonly index: number | undefined;
  readonly key: string;

  /** @param index which one of an array of tables; undefined for a table that stands once */
  constructor(table: string, index: number | undefined, key: string, cause: Error) {
    super(cause.message, { cause });
    this.name = 'UnusableValueError';
    this.table = table;
    this.index = index;
    this.key = key;
  }

  /** With the value's place in the file. */
  in(file: string): ConfigError {
    const { table, index, key, message } = this;
    const path = index === undefined ? `${table}.${key}` : `${table}[${index}].${key}`;
    const line = placesOf(readFileSync(file, 'utf8')).lineOf(path);
    return new ConfigError(file, [{ line, key: path, message }], { cause: this });
  }
}

/** @throws UnusableValueError where `action` throws, for it is this value that does not work */
export function orUnusable<T>(table: string, index: number, key: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new UnusableValueError(table, index, key, cause as Error);
  }
}

function render(file: string, { line, key, message }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return [place, ...(key === undefined ? [] : [key]), message].join(': ');
}
