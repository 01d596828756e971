/** Reads the lines of one file, whichever program wrote them: oldhello, the journal, Postfix or Exim. */
import { readLogLine, type LogLine } from './log-line.js';
import { MailLog, type MailLogResult } from './mail-log.js';

export class LogReader {
  readonly #mailLog = new MailLog(Date.now());

  read(line: Buffer): LogLine {
    const read = readLogLine(line);
    switch (read.kind) {
      case 'message':
        if (read.message.length > MAX_MAIL_LINE_BYTES) return { kind: 'other' };
        return lineOf(this.#mailLog.readMessage(read.time, read.program, read.pid, read.message));
      case 'text':
        return line.length > MAX_MAIL_LINE_BYTES ? read : lineOf(this.#mailLog.read(line.toString('utf8')));
      default:
        return read;
    }
  }
}

function lineOf(result: MailLogResult): LogLine {
  if (result === 'not_a_mail_log') return { kind: 'text' };
  if (result === 'nothing') return { kind: 'other' };
  return { kind: 'connection', connection: result, fromMailLog: true };
}

/** Syslog has at most 2 KiB, Exim's lines seldom more; and it bounds what a pattern can cost. */
const MAX_MAIL_LINE_BYTES = 4096;
