/** Whether a line of the log is what src/observe/events.ts says it is. */
import { LEVELS, LOG_EVENTS, type EventDeclaration, type LogEntry } from '../../src/observe/events.js';
import { eventSentence } from '../../src/observe/sentence.js';
import type { Field, Fields, Leaf } from '../../src/observe/fields.js';

/** What differs, each in a line that names the field. */
export function differencesFromDeclaration(line: Readonly<Record<string, unknown>>): string[] {
  const { level, time, event, msg, ...fields } = line;
  if (typeof event !== 'string' || !(event in LOG_EVENTS)) return [`undeclared event ${String(event)}`];
  const declared: EventDeclaration = LOG_EVENTS[event as keyof typeof LOG_EVENTS];
  return [
    ...differences(declared.fields, fields, event),
    ...(LEVELS.includes(level as never) ? [] : [`${event}: level is ${JSON.stringify(level)}`]),
    ...(TIME.test(String(time)) ? [] : [`${event}: time is ${JSON.stringify(time)}`]),
    ...(msg === eventSentence({ event, fields, level } as unknown as LogEntry)
      ? []
      : [`${event}: msg is ${JSON.stringify(msg)}`]),
  ];
}

function differences(declared: Fields, value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${path} is ${JSON.stringify(value)}`];
  const given = value as Record<string, unknown>;
  const undeclared = Object.keys(given).filter((name) => !(name in declared));
  return [
    ...undeclared.map((name) => `${path}.${name} is not declared`),
    ...Object.entries(declared).flatMap(([name, field]) => {
      if (!(name in given)) return field.optional ? [] : [`${path}.${name} is missing`];
      return differencesOf(field, given[name], `${path}.${name}`);
    }),
  ];
}

function differencesOf(field: Field, value: unknown, path: string): string[] {
  if (field.kind === 'group') return differences(field.fields, value, path);
  const { values, members } = field;
  const allowed =
    (values === undefined || values.includes(value as string)) &&
    (members === undefined || (value as string[]).every((one) => members.includes(one)));
  return allowed && HOLDS[field.kind](value) ? [] : [`${path} is ${JSON.stringify(value)}`];
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const HOLDS: Record<Leaf['kind'], (value: unknown) => boolean> = {
  text: isText,
  peerText: (value) => typeof value === 'string' && /^[\x20-\x7e]*$/.test(value),
  integer: (value) => Number.isSafeInteger(value),
  number: isNumber,
  flag: (value) => typeof value === 'boolean',
  time: (value) => TIME.test(String(value)),
  texts: (value) => Array.isArray(value) && value.every(isText),
  numbers: (value) => typeof value === 'object' && value !== null && Object.values(value).every(isNumber),
};
