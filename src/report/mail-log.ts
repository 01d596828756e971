/**
 * Reads from the logs of Postfix and Exim what was agreed on, and why a handshake failed. These logs do not have the
 * hello, so the agreed version counts as the newest version of the client.
 */
import type { Need } from '../observe/hello/needs.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import { eximEntry } from './exim-log.js';
import type { LoggedConnection } from './log-line.js';
import type { MailLogEntry } from './mail-log-entry.js';
import { PostfixLog } from './postfix-log.js';

export type MailLogResult = 'not_a_mail_log' | 'nothing' | LoggedConnection;

export class MailLog {
  readonly #postfix = new PostfixLog();
  readonly #now: number;

  /** @param now Unix time in milliseconds, for dates without a year */
  constructor(now: number) {
    this.#now = now;
  }

  read(line: string): MailLogResult {
    const text = line.replace(/^<\d{1,3}>/, '').trimEnd();
    const exim = EXIM_LINE.exec(text);
    if (exim !== null) return connectionOf(eximEntry(isoTime(exim[1]!, exim[2]), exim[3]!));
    const syslog = SYSLOG_LINE.exec(text);
    const time = syslog === null ? undefined : this.#syslogTime(syslog[1]!);
    if (syslog === null || time === undefined) return 'not_a_mail_log';
    return this.readMessage(time, syslog[2]!, syslog[3] ?? '', syslog[4]!);
  }

  /** @param program as syslog has it: "postfix/smtpd", "exim" */
  readMessage(time: string, program: string, pid: string, message: string): MailLogResult {
    if (/^postfix[^/]*\/.*smtpd$/.test(program)) return connectionOf(this.#postfix.read(time, pid, message));
    if (/^exim/.test(program)) return connectionOf(eximEntry(time, message));
    return 'nothing';
  }

  /** "Nov 24 08:00:00" in local time and in the last year that makes it past, or RFC 3339. */
  #syslogTime(text: string): string | undefined {
    if (/^\d/.test(text)) return isoTime(text, undefined);
    const year = new Date(this.#now).getFullYear();
    for (const candidate of [year, year - 1]) {
      const time = Date.parse(`${text} ${candidate}`);
      if (time <= this.#now + CLOCK_TOLERANCE_MS) return new Date(time).toISOString();
    }
    return undefined;
  }
}

/** @param zone "+0100"; undefined for local time, or where `text` has it */
function isoTime(text: string, zone: string | undefined): string {
  const time = Date.parse(
    zone === undefined ? text : `${text.replace(' ', 'T')}${zone.slice(0, 3)}:${zone.slice(3)}`,
  );
  return Number.isNaN(time) ? new Date(0).toISOString() : new Date(time).toISOString();
}

function connectionOf(entry: MailLogEntry | undefined): MailLogResult {
  if (entry === undefined) return 'nothing';
  const { time, address, name, tls, failure } = entry;
  const base = {
    time,
    address: sanitizePeerText(address),
    helo: name === undefined ? undefined : sanitizePeerText(name),
  };
  if (failure !== undefined) {
    const reason = sanitizePeerText(failure).trim().toLowerCase().replaceAll(' ', '_');
    return { ...base, hello: undefined, tls: undefined, outcome: 'handshake_failed', reason };
  }
  if (tls === undefined) return { ...base, hello: undefined, tls, outcome: 'plaintext', reason: undefined };
  const { version } = tls;
  const hello = {
    format: 'unknown',
    version,
    fingerprint: 'unknown',
    library: 'unknown',
    needs: NEEDS[version] ?? [],
  };
  return { ...base, hello, tls, outcome: 'completed', reason: undefined };
}

const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  SSLv3: ['sslv3'],
  TLSv1: ['tls1_0'],
  'TLSv1.1': ['tls1_1'],
};

const EXIM_LINE = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)?(?: ([+-]\d{4}))? (.*)$/;
const SYSLOG_LINE =
  /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) \S+ ([\w./-]+)(?:\[(\d+)\])?: (.*)$/;
/** The machine that reads a log and the one that wrote it may differ by their zones. */
const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000;
