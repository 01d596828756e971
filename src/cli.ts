#!/usr/bin/env node
/** The command line: one function a command, and the only place that touches process.argv and the exit code. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from './config/load.js';
import { serve, serveDemo } from './serve.js';
import { CredentialError } from './system/credentials.js';

const EXIT_USAGE = 2;

const USAGE = `oldhello: a TLS proxy in front of a mail server, for clients with very old TLS

  oldhello serve [--config FILE]   run the proxy; without --config, a demo on loopback
  oldhello --version
  oldhello --help

Exit codes: 0 good, 1 a failure while running, 2 wrong usage or configuration.
`;

const SERVE_USAGE = `oldhello serve [--config FILE]

Runs the proxy in the foreground until SIGTERM or SIGINT.

  --config FILE   the configuration, in TOML; without it a demo runs: an embedded
                  mail sink behind 127.0.0.1:2525 (STARTTLS) and 127.0.0.1:4465
                  (TLS from the first byte), with a self-signed certificate that is
                  kept in $STATE_DIRECTORY or ~/.local/state/oldhello
`;

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  if (command === 'serve') await runServe(rest);
  else if (command === '--version') say(version());
  else if (command === undefined || command === '--help' || command === 'help') say(USAGE.trimEnd());
  else throw new UsageError(`unknown command ${JSON.stringify(command)}\n\n${USAGE}`);
}

async function runServe(args: readonly string[]): Promise<void> {
  const { config, help } = options(args);
  if (help === true) say(SERVE_USAGE.trimEnd());
  else if (config === undefined) await serveDemo(say);
  else await serve(config);
}

function options(args: readonly string[]): { config?: string; help?: boolean } {
  try {
    return parseArgs({ args: [...args], options: { config: { type: 'string' }, help: { type: 'boolean' } } })
      .values;
  } catch (cause) {
    throw new UsageError(`${messageOf(cause)}\n\n${SERVE_USAGE}`, { cause });
  }
}

class UsageError extends Error {}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an admin can mend is said in a line or two; only a defect of ours shows a stack. */
function report(error: unknown): void {
  const expected =
    error instanceof UsageError || error instanceof ConfigError || error instanceof CredentialError;
  if (expected || isSystemError(error)) process.stderr.write(`oldhello: ${messageOf(error)}\n`);
  else process.stderr.write(`oldhello: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = isSystemError(error) ? 1 : expected ? EXIT_USAGE : 1;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

main(process.argv.slice(2)).catch(report);
