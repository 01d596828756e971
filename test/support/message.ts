/** A mail message of a given size whose arrival can be checked. */
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestMessage {
  readonly file: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Lines of varied length and content, some of which begin with a dot. */
export function makeMessage(size: number): TestMessage {
  // With everything an MTA would otherwise add.
  const lines = [
    'From: sender@old.example',
    'To: recipient@new.example',
    'Subject: test',
    'Date: Thu, 01 Jan 2004 00:00:00 +0000',
    'Message-ID: <test@old.example>',
    '',
  ];
  let length = lines.join('\r\n').length + 2;
  for (let number = 0; length < size; number += 1) {
    const line = `${number % 7 === 0 ? '.' : ''}${number} `.padEnd(number % 78, 'abcdefghijklmnopqrstuvwxyz');
    lines.push(line.slice(0, Math.max(0, size - length - 2)));
    length += lines[lines.length - 1]!.length + 2;
  }
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
  const file = join(mkdtempSync(join(tmpdir(), 'oldhello-message-')), 'message.eml');
  writeFileSync(file, bytes);
  return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
