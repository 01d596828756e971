/** Errors of a configuration: all problems at once, each with its place and the next step. */
import type { Config } from './schema.js';

export interface Problem {
  /** The first line is 1; undefined where something is missing. */
  readonly line?: number | undefined;
  /** `listener[0].mode` */
  readonly key?: string | undefined;
  readonly message: string;
}

export class ConfigError extends Error {
  readonly file: string;
  readonly problems: readonly Problem[];
  /** The readable part of the file, so that later checks can examine it too. */
  readonly readable: Partial<Config> | undefined;

  constructor(
    file: string,
    problems: readonly Problem[],
    options?: ErrorOptions & { readonly readable?: Partial<Config> },
  ) {
    const inOrder = problems.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
    super(inOrder.map((problem) => render(file, problem)).join('\n'), options);
    this.name = 'ConfigError';
    this.file = file;
    this.problems = inOrder;
    this.readable = options?.readable;
  }
}

/** A valid value that does not work, such as the name of a missing file. `locate` of load.ts finds its line. */
export class UnusableValueError extends Error {
  readonly problems: readonly (Problem & { readonly key: string })[];

  /** @param index in an array of tables; undefined for a single table */
  constructor(table: string, index: number | undefined, key: string, cause: Error) {
    super(cause.message, { cause });
    this.name = 'UnusableValueError';
    const path = index === undefined ? `${table}.${key}` : `${table}[${index}].${key}`;
    this.problems = [{ key: path, message: cause.message }];
  }
}

/** Several such errors, reported together. */
export class UnusableValuesError extends UnusableValueError {
  override readonly problems: UnusableValueError['problems'];

  constructor(errors: readonly UnusableValueError[]) {
    super('', undefined, '', new Error(errors.map(({ message }) => message).join('\n')));
    this.problems = errors.flatMap(({ problems }) => problems);
  }
}

/**
 * Runs all `steps`, even if one fails.
 * @throws UnusableValuesError with all unusable values; other errors unchanged
 */
export async function orAllUnusable<T extends readonly unknown[]>(
  ...steps: { readonly [K in keyof T]: () => T[K] | Promise<T[K]> }
): Promise<T> {
  const results: unknown[] = [];
  const errors: UnusableValueError[] = [];
  for (const step of steps) {
    try {
      results.push(await step());
    } catch (error) {
      if (!(error instanceof UnusableValueError)) throw error;
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors.length === 1 ? errors[0]! : new UnusableValuesError(errors);
  return results as unknown as T;
}

/** Runs `action`. @throws UnusableValueError for this key when it throws */
export function orUnusable<T>(table: string, index: number | undefined, key: string, action: () => T): T {
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
