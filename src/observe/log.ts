/**
 * The one channel for everything that is reported. The log is written from it, and metrics and the status page listen
 * to it: to every event, also to those below the level that is written.
 */
import { pino, type DestinationStream } from 'pino';
import { LOG_EVENTS, type EventFields, type Level, type LogEntry, type LogEvent } from './events.js';

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
  /** From now on, with every event. */
  subscribe(subscriber: LogSubscriber): void;
}

export interface LogSettings {
  /** What is written, from this level up. */
  readonly level: Level;
}

/** A channel whose events go to subscribers only, such as the one that passes a worker's events to the primary. */
export function createLogChannel(...first: LogSubscriber[]): LogChannel {
  const subscribers = [...first];
  const log = (event: LogEvent, fields: object = {}, level: Level = LOG_EVENTS[event].level): void => {
    const entry = { event, fields, level } as LogEntry;
    for (const subscriber of subscribers) subscriber(entry);
  };
  return { log, subscribe: (subscriber) => void subscribers.push(subscriber) };
}

/** A channel that also writes the log. @param destination standard output where absent */
export function createLog({ level }: LogSettings, destination?: DestinationStream): LogChannel {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger =
    destination === undefined
      ? pino({ ...options, formatters })
      : pino({ ...options, formatters }, destination);
  return createLogChannel(({ event, fields, level: as }) => {
    logger[as]({ event, ...fields }, LOG_EVENTS[event].means);
  });
}
