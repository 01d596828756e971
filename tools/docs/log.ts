/** Every event of the log, field by field. */
import { LOG_EVENTS, type EventDeclaration } from '../../src/observe/events.js';
import type { Field, Fields, Leaf } from '../../src/observe/fields.js';
import { CONNECTION_FIELDS } from '../../src/observe/connection-event.js';
import type { Blocks } from './blocks.js';
import { table } from './table.js';

const TYPES: Record<Leaf['kind'], string> = {
  text: 'string',
  peerText: 'string, escaped',
  integer: 'integer',
  number: 'number',
  flag: 'boolean',
  time: 'string, RFC 3339',
  texts: 'array of strings',
  numbers: 'object of numbers',
};

function rowsOf(fields: Fields, prefix = '', within = false): string[][] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const optional = field.optional || within;
    if (field.kind === 'group') {
      const note = field.optional ? 'object, may be absent' : 'object';
      return [[`\`${path}\``, note, field.meaning], ...rowsOf(field.fields, `${path}.`)];
    }
    return [[`\`${path}\``, typeOf(field, optional), meaningOf(field)]];
  });
}

function typeOf({ kind, unit }: Leaf, optional: boolean): string {
  const type = unit === undefined || unit === 'number' ? TYPES[kind] : `${TYPES[kind]}, ${unit}`;
  return optional ? `${type}; may be absent` : type;
}

function meaningOf(field: Exclude<Field, { kind: 'group' }>): string {
  const values = field.values ?? field.members;
  if (values === undefined) return field.meaning;
  if (values.length > MAX_VALUES) return `${field.meaning}; docs/troubleshooting.md has them all`;
  return `${field.meaning}: ${values.map((value) => `\`${value}\``).join(', ')}`;
}

const MAX_VALUES = 6;

const HEADER = ['field', 'type', 'meaning'];

const others = Object.entries<EventDeclaration>(LOG_EVENTS).filter(([name]) => name !== 'connection_closed');

const common = table(HEADER, [
  [
    '`level`',
    'string',
    '`trace`, `debug`, `info`, `warn` or `error`; `log.level` is the lowest level that is written',
  ],
  ['`time`', 'string, RFC 3339', 'when it was written, in UTC, to the millisecond'],
  ['`event`', 'string', 'the event: one of those below'],
  ['`msg`', 'string', 'what happened, in one sentence'],
]);

function eventSection([name, { level, meaning, fields }]: [string, EventDeclaration]): string {
  const rows = rowsOf(fields);
  const head = `### ${name}\n\nLevel \`${level}\`: ${meaning}.`;
  return rows.length === 0 ? head : `${head}\n\n${table(HEADER, rows)}`;
}

export const log = (): Blocks => ({
  common,
  connection_closed: table(HEADER, rowsOf(CONNECTION_FIELDS)),
  events: others.map(eventSection).join('\n\n'),
});
