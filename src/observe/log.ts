/** The program's log: one JSON object a line, each with an `event` that the table below declares. */
import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = (event: LogEvent, fields?: Record<string, unknown>, level?: Level) => void;

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Every event, its usual level and what it says. */
export const LOG_EVENTS = {
  started: { level: 'info', means: 'oldhello is up' },
  listening: { level: 'info', means: 'listening' },
  session: { level: 'info', means: 'a client connection ended' },
  delivered: { level: 'info', means: 'the embedded sink took a message' },
  certificate: { level: 'info', means: 'using a certificate' },
  hopeless_client: {
    level: 'warn',
    means: 'its handshakes keep failing, so this address is not offered STARTTLS for a while',
  },
  stopping: { level: 'info', means: 'stopping' },
  stopped: { level: 'info', means: 'stopped' },
  listener_error: { level: 'error', means: 'a listening socket reported an error' },
  internal_error: { level: 'error', means: 'a defect of oldhello itself; please report it' },
} as const satisfies Record<string, { level: Level; means: string }>;

export type LogEvent = keyof typeof LOG_EVENTS;

export function createLog(level: string, destination?: DestinationStream): Log {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger: Logger =
    destination === undefined
      ? pino({ ...options, formatters })
      : pino({ ...options, formatters }, destination);
  return (event, fields = {}, as = LOG_EVENTS[event].level) => {
    logger[as]({ event, ...fields }, LOG_EVENTS[event].means);
  };
}
