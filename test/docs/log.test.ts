/** docs/log.md: every event of the log, field by field. */
import { test } from 'tap';
import { LOG_EVENTS, type EventDeclaration } from '../../src/observe/events.js';
import type { Field, Fields, Leaf } from '../../src/observe/fields.js';
import { CONNECTION_FIELDS } from '../../src/observe/connection-event.js';
import { checkDoc, table } from '../support/generated-doc.js';

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

const PAGE = `# The log

Generated from the tables of the program by \`npm run docs\`; do not edit.

oldhello writes its log to standard output, one JSON object a line. Each has

${table(HEADER, [
  [
    '`level`',
    'string',
    '`trace`, `debug`, `info`, `warn` or `error`; \`log.level\` says from where on lines are written',
  ],
  ['`time`', 'string, RFC 3339', 'when it was written, in UTC, to the millisecond'],
  ['`event`', 'string', 'what it is about: one of those below'],
  ['`msg`', 'string', 'what happened, in one sentence'],
])}

and the fields of its event. On a terminal, or with \`log.format = "pretty"\`, each event is one line with
the time of day, the level and the same sentence; at the levels \`debug\` and \`trace\` the JSON follows it. Where
standard output is the systemd journal, or with \`log.priorities = "always"\`, each line begins with its priority, such
as \`<4>\`, which the journal takes off.

What a peer says of itself is escaped: what is not printable ASCII, quotes and backslashes come as \`\\x\` and hex digits,
and more than 255 characters are cut off. Never is there message content, a password or a key.

When failures of one kind come in great numbers from one network, \`log.repeat-limit\` of them a minute are logged one by
one, and the rest as one \`repeated\` event; metrics and the status page count all of them. Whoever reads the log slowly,
or not at all, does not hold up the mail: oldhello keeps 4 MB for him, drops what is more, and says how much in a
\`log_dropped\` event.

## session

Level \`info\`, or \`warn\` or \`error\` where the outcome deserves it: ${LOG_EVENTS.connection_closed.meaning}. Exactly one for each
connection.

${table(HEADER, rowsOf(CONNECTION_FIELDS))}

## All other events

${others
  .map(([name, { level, meaning, fields }]) => {
    const rows = rowsOf(fields);
    const head = `### ${name}\n\nLevel \`${level}\`: ${meaning}.`;
    return rows.length === 0 ? head : `${head}\n\n${table(HEADER, rows)}`;
  })
  .join('\n\n')}
`;

test('docs/log.md is what the tables say', async (t) => {
  checkDoc(t, 'log.md', PAGE);
});
