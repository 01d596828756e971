/**
 * Reads keys of session tickets from a file, for machines that resume each other's sessions: one key a line, the newest
 * first.
 */
import { open } from 'node:fs/promises';
import { TICKET_KEY_LENGTH, type TicketKey } from '../tls/index.js';
import { CredentialError, type CredentialFile } from './credential-error.js';
import { exposedOf, type ExposedFile } from './exposed-files.js';

export interface TicketKeyFile {
  readonly path: string;
  /** At least one; the first one encrypts, all of them decrypt. */
  readonly keys: readonly TicketKey[];
  readonly exposed: readonly ExposedFile[];
}

/** @throws CredentialError, without any content of the file */
export async function readTicketKeyFile(path: string, groups?: readonly number[]): Promise<TicketKeyFile> {
  const file = { key: 'ticket-key-file', path } as const;
  let text: string;
  let exposed: ExposedFile[];
  try {
    text = await readBounded(path);
    exposed = exposedOf([path], groups);
  } catch (cause) {
    throw new CredentialError(file, `cannot be read: ${(cause as Error).message}`, { cause });
  }
  return { path, keys: parseTicketKeys(text, file), exposed };
}

/** Ignores empty lines and lines that begin with #. @throws CredentialError */
function parseTicketKeys(text: string, file: CredentialFile): readonly TicketKey[] {
  if (text.length > MAX_FILE_BYTES)
    throw new CredentialError(file, `is longer than ${MAX_FILE_BYTES} bytes; ${ADVICE}`);
  const lineByName = new Map<string, number>();
  const keys: TicketKey[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const key = decodeKey(line);
    if (key === undefined) throw new CredentialError(file, `line ${index + 1} is not a key; ${ADVICE}`);
    const name = key.toString('hex', 0, NAME_LENGTH);
    const twin = lineByName.get(name);
    if (twin !== undefined) {
      throw new CredentialError(
        file,
        `line ${index + 1} has the same first 16 bytes as line ${twin}, so a ticket could belong to either; ${ADVICE}`,
      );
    }
    lineByName.set(name, index + 1);
    keys.push(key);
  }
  if (keys.length === 0) throw new CredentialError(file, `has no key; ${ADVICE}`);
  if (keys.length > MAX_KEYS)
    throw new CredentialError(
      file,
      `has ${keys.length} keys, and at most ${MAX_KEYS} are allowed; remove the oldest`,
    );
  return keys;
}

function decodeKey(line: string): TicketKey | undefined {
  const encoding = ENCODINGS.find(({ pattern }) => pattern.test(line));
  return encoding && Buffer.from(line, encoding.name);
}

/** Reads at most one character more than is allowed. */
async function readBounded(path: string): Promise<string> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) return bytes.toString('latin1', 0, length);
    }
  } finally {
    await file.close();
  }
}

/** The two notations of a key. */
const ENCODINGS = [
  { name: 'base64', pattern: /^[A-Za-z0-9+/]{64}$/ },
  { name: 'hex', pattern: /^[0-9A-Fa-f]{96}$/ },
] as const;
const ADVICE = `a key is a line of 64 characters as "openssl rand -base64 ${TICKET_KEY_LENGTH}" writes it, or of 96 hexadecimal digits`;
/** The first bytes of a key are its name in a ticket (RFC 5077, 4). */
const NAME_LENGTH = 16;
/** Bytes: room for MAX_KEYS with comments. */
const MAX_FILE_BYTES = 8192;
/** Tickets are valid for a day, so more are not needed; each ticket is compared with the names of all keys. */
const MAX_KEYS = 16;
