/** Sentences and numbers that every view of a report shares. */
import { daysBetween } from './calendar.js';
import type { Failure } from './failure-table.js';
import type { Sender } from './sender-table.js';
import { SWITCH_OFF_CODES, SWITCH_OFFS, type SwitchOffCode } from './switch-offs.js';
import type { Report } from './tally.js';

export interface Consequence {
  readonly code: SwitchOffCode;
  readonly title: string;
  readonly setting: string;
  readonly senders: number;
  readonly connections: number;
  /** "3 senders, 41 connections in 30 days", or "no sender". */
  readonly impact: string;
  /** The busiest of them. */
  readonly busiest: readonly Sender[];
}

export function consequences(report: Report): Consequence[] {
  return SWITCH_OFF_CODES.map((code) => {
    const { senders, connections } = report.switchOffs[code];
    const atLeast = report.others.senders > 0 && senders > 0 ? 'at least ' : '';
    return {
      code,
      title: SWITCH_OFFS[code].title,
      setting: SWITCH_OFFS[code].setting,
      senders,
      connections,
      impact:
        connections === 0
          ? 'no sender'
          : `${atLeast}${count(senders, 'sender')}, ${count(connections, 'connection')} in ${count(length(report), 'day')}`,
      busiest: report.senders.filter(({ breaks }) => breaks.includes(code)).slice(0, MAX_NAMED),
    };
  });
}

/** "2026-10-24 to 2026-11-24, 31 days: 1,203 connections, 1,100 with TLS, 12 with old hellos, 3 in clear" */
export function summary(report: Report): string {
  const { first, last, connections, withTls, old, plaintext } = report;
  if (first === undefined || last === undefined) return 'no connections found';
  const when = `${first.slice(0, 10)} to ${last.slice(0, 10)}, ${count(length(report), 'day')}`;
  return (
    `${when}: ${count(connections, 'connection')}, ${number(withTls)} with TLS, ` +
    `${number(old)} with old hellos, ${number(plaintext)} in clear`
  );
}

/** What the figures leave out, in sentences. */
export function caveats({ lines, others, notes }: Report): string[] {
  const sentences: string[] = [...notes];
  if (lines.broken > 0) sentences.push(`${count(lines.broken, 'line')} could not be read.`);
  if (lines.mailLog > 0) {
    sentences.push(
      `${count(lines.mailLog, 'connection')} from the log of Postfix or Exim, which does not have the hellos: ` +
        'the version that was agreed on is taken for the newest that the client has.',
    );
  } else if (lines.text > 0) {
    sentences.push(
      `${count(lines.text, 'line')} ${lines.text === 1 ? 'is' : 'are'} not JSON. report reads the log as JSON: ` +
        'set format = "json" in [log], or read the journal with journalctl -o json. ' +
        'It also reads the logs of Postfix (smtpd_tls_loglevel = 1) and Exim.',
    );
  }
  if (lines.tooLong > 0)
    sentences.push(`${count(lines.tooLong, 'line')} were longer than a log line can be.`);
  if (others.senders > 0) {
    sentences.push(
      `Besides the senders listed there were ${number(others.senders)} others with few connections each, ` +
        `${number(others.connections)} together; one that came back may be among them more than once.`,
    );
  }
  return sentences;
}

/** "14 senders", or "at least 14 senders"; empty where the log does not have them. */
export function failedSenders({ senders, senderCountIsLower }: Failure): string {
  if (senders === 0) return '';
  return `${senderCountIsLower ? 'at least ' : ''}${count(senders, 'sender')}`;
}

export function nameOf({ helo, address }: Pick<Sender, 'helo' | 'address'>): string {
  return helo === undefined ? address : `${helo} [${address}]`;
}

export function count(of: number, what: string): string {
  return `${number(of)} ${what}${of === 1 ? '' : 's'}`;
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

function length({ first, last }: Report): number {
  return first === undefined || last === undefined ? 0 : daysBetween(first, last);
}

/** A sentence stays a sentence. */
const MAX_NAMED = 3;
