/** What is wrong with a configuration file: every problem at once, each with its place and what to do. */

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

function render(file: string, { line, key, message }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return [place, ...(key === undefined ? [] : [key]), message].join(': ');
}
