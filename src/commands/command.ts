/** A command of the command line; each has its own file in this folder. */
import type { ParseArgsConfig } from 'node:util';

export interface Command {
  /** A line for `oldhello --help`. */
  readonly summary: string;
  /** The output of `oldhello COMMAND --help`. */
  readonly usage: string;
  /** In the form of node:util's parseArgs; `help` is added. */
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Whether arguments without option name are allowed. */
  readonly allowPositionals: boolean;
  /**
   * @returns the exit code; undefined for a command that keeps running
   * @throws UsageError, ConfigError, CredentialError and system errors; each is printed in a line
   */
  run(args: Arguments): Promise<number | undefined>;
}

export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** Exit codes. */
export const GOOD = 0;
export const FAILED = 1;
export const WRONG_USAGE = 2;

/** An input cannot be read; the message needs no addition. */
export class InputError extends Error {}

/** The command line itself is wrong; the message is followed by the command's usage. */
export class UsageError extends Error {}

export function say(line: string): void {
  if (!process.stdout.listeners('error').includes(endWithReader)) process.stdout.on('error', endWithReader);
  process.stdout.write(`${line}\n`);
}

/** The reader of standard output has closed it, as in `oldhello check | head -1`. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(FAILED);
}
