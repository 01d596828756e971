/** The built oldhello, started as its user would, and what it logs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ConnectionEvent } from '../../src/observe/connection-record.js';
import { differencesFromDeclaration } from './event-shape.js';

export interface LogLine extends Record<string, unknown> {
  event: string;
}

export interface Program {
  /** By listener name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly log: readonly LogLine[];
  /** Emits `line` when there is another one. */
  readonly lines: EventEmitter;
  readonly pid: number;
  /** Where the configuration and what STATE stands for are. */
  readonly folder: string;
  /**
   * The next event of this name that was not asked for yet; waits for it.
   * @throws when a line of the log is not what src/observe/events.ts declares
   */
  next(event: string): Promise<LogLine>;
  nextConnection(): Promise<ConnectionEvent>;
  /** Writes another configuration; nobody reads it yet. */
  configure(config: string): void;
  signal(name: NodeJS.Signals): void;
  /** The exit code, once there is one and everything was read. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** Takes nothing more from standard output, until told to go on. */
  pauseLog(): void;
  resumeLog(): void;
}

/** Finding such a prime takes seconds, so not every program under test does. */
const DH_GROUP = fileURLToPath(new URL('./dh1024.hex', import.meta.url));
const CONFIGURATION = 'oldhello.toml';
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface ProgramOptions {
  /** What to run the program with, such as a shell with another limit; it gets the command line as its arguments. */
  readonly runner?: readonly [command: string, ...args: string[]];
  readonly env?: NodeJS.ProcessEnv;
  /** Called with the folder before the program starts. */
  readonly before?: (folder: string) => void;
}

/** @param config TOML; `STATE` in it stands for a folder that goes away with the program */
export async function startProgram(
  config: string,
  listeners: number,
  { runner, env = {}, before }: ProgramOptions = {},
): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-test-'));
  const file = join(folder, CONFIGURATION);
  writeFileSync(file, config.replaceAll('STATE', folder));
  copyFileSync(DH_GROUP, join(folder, 'dh1024.hex'));
  before?.(folder);
  const [command, ...args] = [...(runner ?? []), process.execPath, CLI, 'serve', '--config', file] as const;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  return followProgram(child, listeners, folder, () => rmSync(folder, { recursive: true, force: true }));
}

/**
 * What a program prints that does not start with this configuration.
 * @throws where it starts all the same; it is stopped then
 */
export async function refusedStart(config: string, options?: ProgramOptions): Promise<string> {
  const program = await startProgram(config, 1, options).catch((error: unknown) => (error as Error).message);
  if (typeof program === 'string') return program;
  await program.stop();
  throw new Error('the program started');
}

/** `oldhello serve` without a configuration. @param program the built one, where it is no other */
export function startDemo(
  home: string,
  program: readonly [string, ...string[]] = [process.execPath, CLI],
): Promise<Program> {
  const env = { ...process.env, HOME: home };
  const [command, ...args] = program;
  const child = spawn(command, [...args, 'serve'], { stdio: ['ignore', 'pipe', 'pipe'], env });
  return followProgram(child, 2, home, () => undefined);
}

/** Reads what a started oldhello logs, until it ends. @param folder where its configuration is */
export async function followProgram(
  child: ChildProcess,
  listeners: number,
  folder: string,
  cleanUp: () => void,
): Promise<Program> {
  const log: LogLine[] = [];
  const misshapen: string[] = [];
  const lines = new EventEmitter();
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    log.push(JSON.parse(line) as LogLine);
    misshapen.push(...differencesFromDeclaration(log.at(-1)!));
    lines.emit('line');
  });
  let ended = false;
  const exited = once(child, 'close').then(([code]) => {
    ended = true;
    lines.emit('line');
    cleanUp();
    return code as number | null;
  });
  const until = async <T>(find: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (ended) throw new Error(`oldhello ended with ${child.exitCode ?? child.signalCode}: ${errors}`);
      await once(lines, 'line');
    }
  };
  const ports = await until(() => {
    const listening = log.filter(({ event }) => event === 'listening');
    if (listening.length < listeners) return undefined;
    return new Map(listening.map(({ listener, port }) => [listener as string, port as number]));
  });
  const asked = new Map<string, number>();
  const next = async (name: string): Promise<LogLine> => {
    const index = asked.get(name) ?? 0;
    asked.set(name, index + 1);
    const line = await until(() => log.filter(({ event }) => event === name)[index]);
    if (misshapen.length > 0) throw new Error(`not as declared: ${misshapen.join('; ')}`);
    return line;
  };
  return {
    ports,
    log,
    lines,
    pid: child.pid!,
    folder,
    exited,
    next,
    nextConnection: () => next('connection_closed') as Promise<unknown> as Promise<ConnectionEvent>,
    configure: (config) => {
      writeFileSync(join(folder, CONFIGURATION), config.replaceAll('STATE', folder));
    },
    signal: (name) => void child.kill(name),
    pauseLog: () => void child.stdout!.pause(),
    resumeLog: () => void child.stdout!.resume(),
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
