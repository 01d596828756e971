/** Writes the log to standard output or to a file, without delaying the mail. */
import { fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { UnusableValueError } from '../config/config-error.js';
import type { LogConfig } from '../config/schema.js';
import { reportDefectsTo } from '../observe/guard.js';
import type { Level } from '../observe/events.js';
import { createLog, type LogChannel } from '../observe/log.js';
import type { TerminalStyle } from '../observe/terminal-line.js';
import { endProcess } from '../system/end-process.js';
import { LineOutput } from '../system/line-output.js';

export interface OpenLog extends LogChannel {
  /** Number of lines dropped so far. */
  readonly dropped: number;
  /** Opens the file again, after logrotate has moved it. */
  reopen(): void;
  /** Writes the last lines, within a timeout. Await it before the process ends. */
  close(): Promise<void>;
  /** Ends the process, also where the reader of the log hangs. */
  readonly exit: (code: number) => never;
}

/** @throws UnusableValueError for a file that cannot be opened */
export function openLog({ file, level, format, priorities, repeatLimit }: LogConfig): OpenLog {
  const fd = file === undefined ? STDOUT : openLogFile(file);
  let dropped = 0;
  const output = new LineOutput({
    fd,
    dropped: (lines) => {
      dropped += lines;
      written.log('log_dropped', { lines });
    },
  });
  const isPretty = format === 'pretty' || (format === 'auto' && isatty(fd));
  const prefix = priorities === 'always' || (priorities === 'auto' && isJournal(fd));
  const written = createLog({
    level,
    repeatLimit,
    ...(isPretty && { terminal: terminalStyle(fd, level) }),
    write: (line, as) => output.write(prefix ? `<${PRIORITIES[as]}>${line}` : line),
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
      return output.flush(FLUSH_TIMEOUT_MS);
    },
    exit: (code) => endProcess(code, output.writing),
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

function terminalStyle(fd: number, level: Level): TerminalStyle {
  return {
    colour: isatty(fd) && process.env['NO_COLOR'] === undefined,
    withFields: level === 'trace' || level === 'debug',
  };
}

/** systemd.exec(5): JOURNAL_STREAM names device and inode of the stream that leads to the journal. */
function isJournal(fd: number): boolean {
  const { dev, ino } = fstatSync(fd);
  return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}

const STDOUT = 1;
/** Not for everyone, because the log has addresses of clients. */
const LOG_FILE_MODE = 0o640;
/** For the last lines. */
const FLUSH_TIMEOUT_MS = 2_000;
/** syslog(3). */
const PRIORITIES = { trace: 7, debug: 7, info: 6, warn: 4, error: 3 } as const;
