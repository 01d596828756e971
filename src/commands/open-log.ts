/** The log on standard output or in a file, which never delays the mail. */
import { fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { UnusableValueError } from '../config/config-error.js';
import type { LogConfig } from '../config/schema.js';
import { reportDefectsTo } from '../observe/guard.js';
import { createLog, type LogChannel } from '../observe/log.js';
import { LineOutput } from '../system/line-output.js';

export interface OpenLog extends LogChannel {
  /** Lines that nobody took so far. */
  readonly dropped: number;
  /** Opens the file again, which another program may have moved. */
  reopen(): void;
  /** To be waited for before the process ends; bounded. */
  close(): Promise<void>;
}

/** @throws UnusableValueError for a file that cannot be opened */
export async function openLog({ file, level, format, priorities, repeatLimit }: LogConfig): Promise<OpenLog> {
  const fd = file === undefined ? STDOUT : openLogFile(file);
  let dropped = 0;
  const output = new LineOutput({
    fd,
    dropped: (lines) => {
      dropped += lines;
      written.log('log_dropped', { lines });
    },
  });
  process.once('exit', () => output.flushSync());
  const isPretty = format === 'pretty' || (format === 'auto' && isatty(fd));
  const show = isPretty ? await prettyLine() : undefined;
  const prefix = priorities === 'always' || (priorities === 'auto' && isJournal(fd));
  const written = createLog({
    level,
    repeatLimit,
    write: (line, as) => {
      const shown = show?.(line) ?? line;
      output.write(prefix ? withPriority(shown, PRIORITIES[as]) : shown);
    },
  });
  reportDefectsTo((error) => written.log('internal_error', { error }));
  return {
    ...written,
    get dropped() {
      return dropped;
    },
    reopen: () => {
      if (file === undefined) return;
      try {
        output.switchTo(openFile(file));
      } catch (error) {
        written.log('log_reopen_failed', { file, error: (error as Error).message });
      }
    },
    close: () => {
      written.flush();
      return output.flush(FLUSH_PATIENCE);
    },
  };
}

function openFile(file: string): number {
  return openSync(file, 'a', LOG_FILE_MODE);
}

function openLogFile(file: string): number {
  try {
    return openFile(file);
  } catch (cause) {
    throw new UnusableValueError('log', undefined, 'file', cause as Error);
  }
}

async function prettyLine(): Promise<(line: string) => string> {
  const { default: pretty } = await import('pino-pretty');
  const colorize = isatty(STDOUT) && process.env['NO_COLOR'] === undefined;
  return pretty.prettyFactory({
    colorize,
    timestampKey: 'time',
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: '{msg}',
    ignore: 'event',
    singleLine: true,
  });
}

/** A line of ours may be several of the journal's. */
function withPriority(lines: string, priority: number): string {
  return lines.replace(/^(?=.)/gm, `<${priority}>`);
}

/** systemd.exec(5): JOURNAL_STREAM names device and inode of the stream that leads to the journal. */
function isJournal(fd: number): boolean {
  const { dev, ino } = fstatSync(fd);
  return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}

const STDOUT = 1;
/** Addresses of clients are nothing for everybody. */
const LOG_FILE_MODE = 0o640;
/** Milliseconds that the last lines get to be taken. */
const FLUSH_PATIENCE = 2_000;
/** syslog(3). */
const PRIORITIES = { trace: 7, debug: 7, info: 6, warn: 4, error: 3 } as const;
