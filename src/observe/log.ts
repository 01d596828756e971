/**
 * The one channel of all events. The log is written from it; metrics and the status page subscribe to it and receive
 * every event, also those below the level that is written.
 */
import { pino } from 'pino';
import { guarded } from './guard.js';
import { LOG_EVENTS, type EventFields, type Level, type LogEntry, type LogEvent } from './events.js';
import { OUTCOMES } from './outcomes.js';
import { Repetition } from './repetition.js';
import { eventSentence } from './sentence.js';
import { terminalLine, type TerminalStyle } from './terminal-line.js';

/** Events without fields need none. */
export type Log = <E extends LogEvent>(
  event: E,
  ...rest: Record<string, never> extends EventFields<E>
    ? [fields?: EventFields<E>, level?: Level]
    : [fields: EventFields<E>, level?: Level]
) => void;

export type LogSubscriber = (entry: LogEntry) => void;

export interface LogChannel {
  readonly log: Log;
  /** For an event from another process. */
  publish(entry: LogEntry): void;
  /** Calls `subscriber` with every event from now on. */
  subscribe(subscriber: LogSubscriber): void;
}

/** A channel that also writes the log. */
export interface WrittenLog extends LogChannel {
  /** Writes the summaries of repeated failures now. */
  flush(): void;
}

export interface LogSettings {
  /** The lowest level that is written. */
  readonly level: Level;
  /** See repetition.ts. */
  readonly repeatLimit: number;
  /** Lines for a person; absent: JSON. */
  readonly terminal?: TerminalStyle;
  /** Called with each line, its line feed included. */
  readonly write: (line: string, level: Level) => void;
}

/** A channel whose events go to subscribers only, such as the one that passes a worker's events to the primary. */
export function createLogChannel(...first: LogSubscriber[]): LogChannel {
  const subscribers = [...first];
  const publish = (entry: LogEntry): void => {
    for (const subscriber of subscribers) guarded(`${entry.event} event`, () => subscriber(entry));
  };
  const log = (event: LogEvent, fields: object = {}, level: Level = LOG_EVENTS[event].level): void => {
    publish({ event, fields, level } as LogEntry);
  };
  return { log, publish, subscribe: (subscriber) => void subscribers.push(subscriber) };
}

export function createLog({ level, repeatLimit, terminal, write }: LogSettings): WrittenLog {
  let writing: Level = 'info';
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => write(line, writing) },
  );
  const repetition = new Repetition(repeatLimit, (summary) => {
    const isFailure = OUTCOMES[summary.outcome].fault !== undefined;
    channel.log('repeated', summary, isFailure ? LOG_EVENTS.repeated.level : 'info');
  });
  const channel = createLogChannel((entry) => {
    const { event, fields, level: as } = entry;
    // So that summaries come before the last line.
    if (event === 'stopped') repetition.flush();
    if (!logger.isLevelEnabled(as) || repetition.isTooMany(entry)) return;
    if (terminal !== undefined) {
      write(terminalLine(entry, Date.now(), terminal), as);
      return;
    }
    writing = as;
    logger[as]({ event, ...fields }, eventSentence(entry));
  });
  return { ...channel, flush: () => repetition.flush() };
}
