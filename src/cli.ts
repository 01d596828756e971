#!/usr/bin/env node
/** The command line, and the only place that touches process.argv and the exit code. */
import { parseArgs } from 'node:util';
import {
  FAILED,
  InputError,
  say,
  UsageError,
  WRONG_USAGE,
  type Arguments,
  type Command,
} from './commands/command.js';
import { ConfigError, UnusableValueError } from './config/config-error.js';
import { CredentialError } from './credentials/credentials.js';
import { isTransient } from './system/transient.js';
import { version } from './system/version.js';

/** Each is loaded only when it is used, because half of the modules of the others would be loaded for nothing. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.js')).serve,
  check: async () => (await import('./commands/check.js')).check,
  probe: async () => (await import('./commands/probe.js')).probe,
  'make-certificate': async () => (await import('./commands/make-certificate.js')).makeCertificate,
  report: async () => (await import('./commands/report.js')).report,
  explain: async () => (await import('./commands/explain.js')).explain,
  census: async () => (await import('./commands/census.js')).census,
};

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === '--version') {
    say(version());
    return;
  }
  if (name === undefined || name === '--help' || name === 'help') {
    say(await usage());
    return;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new UsageError(`unknown command ${JSON.stringify(name)}\n\n${await usage()}`);
  const command = await load();
  const parsed = parse(command, rest);
  if (parsed.values['help'] === true) {
    say(command.usage);
    return;
  }
  const code = await command.run(parsed);
  if (code !== undefined) process.exitCode = code;
}

function parse({ options, allowPositionals, usage: text }: Command, args: readonly string[]): Arguments {
  const help = { type: 'boolean' } as const;
  try {
    const parsed = parseArgs({ args: [...args], options: { ...options, help }, allowPositionals });
    return { values: parsed.values, positionals: parsed.positionals };
  } catch (cause) {
    throw new UsageError(`${messageOf(cause)}\n\n${text}`, { cause });
  }
}

async function usage(): Promise<string> {
  const commands = Object.entries(COMMANDS).map(async ([name, load]) => {
    return `  oldhello ${name.padEnd(16)} ${(await load()).summary}`;
  });
  const lines = await Promise.all(commands);
  return `oldhello: a TLS proxy in front of a mail server, for clients with very old TLS

${lines.join('\n')}

  oldhello COMMAND --help
  oldhello --version

Exit codes: 0 good, 1 a check or the running program failed, or a start that may succeed later, 2 wrong usage or configuration.`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors that an administrator can correct are printed in a line or two; only a defect of oldhello has a stack. */
function fail(error: unknown): void {
  const expected =
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof UnusableValueError ||
    error instanceof CredentialError;
  if (expected || error instanceof InputError || isSystemError(error))
    process.stderr.write(`oldhello: ${messageOf(error)}\n`);
  else process.stderr.write(`oldhello: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = expected && !isTransient(error) ? WRONG_USAGE : FAILED;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

main(process.argv.slice(2)).catch(fail);
