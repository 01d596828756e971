/** The log on standard output, in the form its reader wants, and never at the cost of the mail. */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { LogConfig } from '../config/schema.js';
import { reportDefectsTo } from '../observe/guard.js';
import { createLog, type LogChannel } from '../observe/log.js';
import { LineOutput } from '../system/line-output.js';

export interface OpenLog extends LogChannel {
  /** Lines that nobody took so far. */
  readonly dropped: number;
  /** To be waited for before the process ends; bounded. */
  close(): Promise<void>;
}

export async function openLog({ level, format, priorities, repeatLimit }: LogConfig): Promise<OpenLog> {
  let dropped = 0;
  const output = new LineOutput({
    fd: STDOUT,
    dropped: (lines) => {
      dropped += lines;
      written.log('log_dropped', { lines });
    },
  });
  process.once('exit', () => output.flushSync());
  const isPretty = format === 'pretty' || (format === 'auto' && isatty(STDOUT));
  const show = isPretty ? await prettyLine() : undefined;
  const prefix = priorities === 'always' || (priorities === 'auto' && isJournal(STDOUT));
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
    close: () => {
      written.flush();
      return output.flush(FLUSH_PATIENCE);
    },
  };
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
/** Milliseconds that the last lines get to be taken. */
const FLUSH_PATIENCE = 2_000;
/** syslog(3). */
const PRIORITIES = { trace: 7, debug: 7, info: 6, warn: 4, error: 3 } as const;
