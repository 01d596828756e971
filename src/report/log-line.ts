/** One line of a log. A line is untrusted input; only the fields that the report needs are read. */

/** What the report needs of a `connection_closed` event. */
export interface LoggedConnection {
  /** RFC 3339 in UTC, as the log writes it. */
  readonly time: string;
  readonly address: string;
  readonly helo: string | undefined;
  readonly hello:
    | {
        readonly format: string;
        readonly version: string;
        readonly fingerprint: string;
        readonly library: string;
        readonly needs: readonly string[];
      }
    | undefined;
  readonly tls: { readonly version: string; readonly suite: string } | undefined;
  readonly outcome: string;
  readonly reason: string | undefined;
}

export type LogLine =
  | {
      readonly kind: 'connection';
      readonly connection: LoggedConnection;
      /** Postfix's or Exim's, which has no hellos. */
      readonly fromMailLog?: true;
    }
  /** Connections that the log only counts. */
  | {
      readonly kind: 'repeated';
      readonly time: string;
      readonly count: number;
      readonly outcome: string;
      readonly reason: string | undefined;
    }
  /** Another event, or a line of another program. */
  | { readonly kind: 'other' }
  /** Begins like JSON but is none, or lacks fields of its event. */
  | { readonly kind: 'broken' }
  /** Text: the terminal's form of the log, or the log of another program. */
  | { readonly kind: 'text' };

/** A text in the journal. */
export interface JournalMessage {
  readonly kind: 'message';
  readonly time: string;
  readonly program: string;
  readonly pid: string;
  readonly message: string;
}

export function readLogLine(line: Buffer): LogLine | JournalMessage {
  const object = parse(line);
  if (object === undefined) return looksLikeJson(line) ? BROKEN : TEXT;
  if (!('MESSAGE' in object)) return readEvent(object);
  const message = journalMessage(object['MESSAGE']);
  if (message === undefined) return OTHER;
  if (!message.startsWith('{')) return readJournalMessage(object, message);
  const event = parseText(message);
  return event === undefined ? BROKEN : readEvent(event);
}

function readJournalMessage(entry: Fields, message: string): LogLine | JournalMessage {
  const microseconds = Number(text(entry['__REALTIME_TIMESTAMP']));
  const program = text(entry['SYSLOG_IDENTIFIER']);
  if (program === undefined || !(microseconds > 0 && microseconds < MAX_MICROSECONDS)) return OTHER;
  const time = new Date(microseconds / 1000).toISOString();
  return { kind: 'message', time, program, pid: text(entry['_PID']) ?? '', message };
}

type Fields = Readonly<Record<string, unknown>>;

/** After a crash, a file may have NUL bytes before a complete line. */
function parse(line: Buffer): Fields | undefined {
  const object = parseText(line.toString('utf8'));
  if (object !== undefined || !line.includes(0)) return object;
  return parseText(line.toString('utf8').replaceAll('\0', ''));
}

/** A line cut at its beginning counts as text; there is at most one such line a file. */
function looksLikeJson(line: Buffer): boolean {
  const first = line.find((byte) => byte > SPACE);
  return first === OPENING_BRACE;
}

function parseText(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return fields(value);
  } catch {
    return undefined;
  }
}

/** The journal's JSON has a text, an array of bytes if it is no valid text, or null if it is too long. */
function journalMessage(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  if (!Array.isArray(message)) return undefined;
  return Buffer.from(message as number[]).toString('utf8');
}

function readEvent(event: Fields): LogLine {
  if (event['event'] === 'connection_closed') return readConnection(event);
  if (event['event'] === 'repeated') return readRepeated(event);
  return OTHER;
}

function readConnection(event: Fields): LogLine {
  const time = readTime(event['time']);
  const address = text(fields(event['client'])?.['address']);
  const outcome = text(event['outcome']);
  if (time === undefined || address === undefined || outcome === undefined) return BROKEN;
  const hello = fields(event['hello']);
  const tls = fields(event['tls']);
  return {
    kind: 'connection',
    connection: {
      time,
      address,
      helo: text(fields(event['smtp'])?.['helo']),
      hello: hello && {
        format: text(hello['format']) ?? 'unknown',
        version: text(hello['version']) ?? 'unknown',
        fingerprint: text(fields(hello['fingerprint'])?.['short']) ?? 'unknown',
        library: text(hello['library']) ?? 'unknown',
        needs: texts(hello['needs']),
      },
      tls: tls && { version: text(tls['version']) ?? 'unknown', suite: text(tls['suite']) ?? 'unknown' },
      outcome,
      reason: text(event['reason']) ?? text(event['alert']),
    },
  };
}

function readRepeated(event: Fields): LogLine {
  const time = readTime(event['time']);
  const { count } = event;
  const outcome = text(event['outcome']);
  if (time === undefined || outcome === undefined || !Number.isSafeInteger(count)) return BROKEN;
  return { kind: 'repeated', time, count: count as number, outcome, reason: text(event['reason']) };
}

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** Values go to terminals and pages: shortened, and without control characters. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const cut = value.length > MAX_TEXT_CHARACTERS ? value.slice(0, MAX_TEXT_CHARACTERS) : value;
  return /[\x00-\x1f\x7f-\x9f]/.test(cut) ? cut.replace(/[\x00-\x1f\x7f-\x9f]/g, '?') : cut;
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_NEEDS).flatMap((one: unknown) => text(one) ?? []);
}

function readTime(value: unknown): string | undefined {
  return typeof value === 'string' && TIME.test(value) ? value : undefined;
}

const OTHER: LogLine = { kind: 'other' };
const BROKEN: LogLine = { kind: 'broken' };
const TEXT: LogLine = { kind: 'text' };
const TIME = /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(?:\.\d{1,9})?Z$/;
const SPACE = 0x20;
const OPENING_BRACE = 0x7b;
/** Characters; the longest the log writes itself are host names. */
const MAX_TEXT_CHARACTERS = 255;
/** The year 9999, up to which a date has four digits. */
const MAX_MICROSECONDS = 253_402_300_799_000_000;
/** More codes than there are. */
const MAX_NEEDS = 32;
