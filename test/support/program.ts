/** The built oldhello, started as its user would, and what it logs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SessionEvent } from '../../src/observe/session-record.js';
import { differencesFromDeclaration } from './event-shape.js';

export interface LogLine extends Record<string, unknown> {
  event: string;
}

export interface Program {
  /** By listener name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly log: readonly LogLine[];
  readonly pid: number;
  /**
   * The next `session` event that was not asked for yet; waits for it.
   * @throws when a line of the log is not what src/observe/events.ts declares
   */
  nextSession(): Promise<SessionEvent>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

/** Finding such a prime takes seconds, so not every program under test does. */
const DH_GROUP = fileURLToPath(new URL('./dh1024.hex', import.meta.url));
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** @param config TOML; `STATE` in it stands for a folder that goes away with the program */
export async function startProgram(config: string, listeners: number): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-test-'));
  const file = join(folder, 'oldhello.toml');
  writeFileSync(file, config.replaceAll('STATE', folder));
  copyFileSync(DH_GROUP, join(folder, 'dh1024.hex'));
  const child = spawn(process.execPath, [CLI, 'serve', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return follow(child, listeners, () => rmSync(folder, { recursive: true, force: true }));
}

/** `oldhello serve` without a configuration. */
export function startDemo(home: string): Promise<Program> {
  const env = { ...process.env, HOME: home };
  const child = spawn(process.execPath, [CLI, 'serve'], { stdio: ['ignore', 'pipe', 'pipe'], env });
  return follow(child, 2, () => undefined);
}

async function follow(child: ChildProcess, listeners: number, cleanUp: () => void): Promise<Program> {
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
  const exited = once(child, 'exit').then(([code]) => {
    lines.emit('line');
    cleanUp();
    return code as number | null;
  });
  const until = async <T>(find: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(`oldhello ended with code ${child.exitCode}: ${errors}`);
      await once(lines, 'line');
    }
  };
  const ports = await until(() => {
    const listening = log.filter(({ event }) => event === 'listening');
    if (listening.length < listeners) return undefined;
    return new Map(listening.map(({ listener, port }) => [listener as string, port as number]));
  });
  let asked = 0;
  return {
    ports,
    log,
    pid: child.pid!,
    async nextSession() {
      const index = asked++;
      const session = await until(() => log.filter(({ event }) => event === 'session')[index]);
      if (misshapen.length > 0) throw new Error(`not as declared: ${misshapen.join('; ')}`);
      return session as unknown as SessionEvent;
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
