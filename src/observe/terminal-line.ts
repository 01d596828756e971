/** One event as one line for a terminal: time of day, level, sentence. */
import { LOG_EVENTS, type Level, type LogEntry } from './events.js';
import { specificSentence } from './sentence.js';

export interface TerminalStyle {
  readonly colour: boolean;
  /** Whether the fields follow the sentence, as JSON. */
  readonly withFields: boolean;
}

/** @param time Unix time in milliseconds; shown in the zone of the process */
export function terminalLine(entry: LogEntry, time: number, { colour, withFields }: TerminalStyle): string {
  const { event, fields, level } = entry;
  const clock = new Date(time).toTimeString().slice(0, CLOCK_LENGTH);
  const name = level.toUpperCase().padEnd(LEVEL_LENGTH);
  const sentence = specificSentence(entry) ?? `${LOG_EVENTS[event].meaning}${pairs(fields)}`;
  const start = colour ? `${DIM}${clock}${RESET} ${COLOURS[level]}${name}${RESET}` : `${clock} ${name}`;
  const json = withFields ? ` ${JSON.stringify({ event, ...fields })}` : '';
  return `${start} ${withoutControls(sentence + json)}\n`;
}

/** " (file=/etc/oldhello/oldhello.toml, keys=["server.workers"])" */
function pairs(fields: LogEntry['fields']): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

/** Text from peers is sanitized already; text from the system and from files must not move the cursor either. */
function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => {
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}

/** "14:05:59" */
const CLOCK_LENGTH = 8;
/** "ERROR" */
const LEVEL_LENGTH = 5;
const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const COLOURS: Readonly<Record<Level, string>> = {
  trace: DIM,
  debug: DIM,
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
