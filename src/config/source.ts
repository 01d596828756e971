/** Reads the text of a file of the administrator, with a bound, and explains what is wrong with a file that cannot be read. */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { ConfigError } from './config-error.js';

export interface SourceKind {
  readonly noun: string;
  readonly maxBytes: number;
}

/** @throws ConfigError */
export function readSource(path: string, { noun, maxBytes }: SourceKind = CONFIGURATION): string {
  const bytes = readBounded(path, maxBytes);
  if (bytes.length > maxBytes) {
    const message = `is larger than ${maxBytes / 1024} KiB; is it a ${noun}?`;
    throw new ConfigError(path, [{ message }]);
  }
  if (!isUtf8(bytes)) throw new ConfigError(path, [notUtf8(bytes)]);
  return bytes.toString('utf8');
}

/** Reads at most one byte more than is allowed, also from a pipe or a device. */
function readBounded(path: string, maxBytes: number): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      length += read;
      if (read === 0 || length === bytes.length) return bytes.subarray(0, length);
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = (code !== undefined && UNREADABLE[code]) ?? message;
    throw new ConfigError(path, [{ message: `cannot be read: ${why}` }], { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function notUtf8(bytes: Buffer): { line: number; message: string } {
  if (UTF16_MARKS.some((mark) => bytes.subarray(0, 2).equals(mark))) {
    return { line: 1, message: 'is UTF-16; save it as UTF-8' };
  }
  // No UTF-8 character spans two lines.
  const lines = bytes.toString('latin1').split('\n');
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1;
  return { line, message: 'has bytes that are not UTF-8; save the file as UTF-8' };
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied; the user that oldhello runs as must be allowed to read it',
  EISDIR: 'it is a folder; name the file in it',
};

/** Ten times the size of a configuration with thousands of networks. */
const CONFIGURATION: SourceKind = { noun: 'configuration', maxBytes: 1024 * 1024 };
const UTF16_MARKS = [Buffer.from('fffe', 'hex'), Buffer.from('feff', 'hex')];
