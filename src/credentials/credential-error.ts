/** Errors of certificate and key files, and reading them. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** The key of the configuration that names the file in question. */
export type CredentialKey =
  'chain' | 'key' | 'pkcs12' | 'passphrase-file' | 'tls-ca' | 'ticket-key-file' | 'password-file';

export interface CredentialFile {
  readonly key: CredentialKey;
  readonly path: string;
}

/** The message names the file and what to do. */
export class CredentialError extends Error {
  readonly key: CredentialKey;

  constructor({ key, path }: CredentialFile, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.name = 'CredentialError';
    this.key = key;
  }
}

/** Runs `action`. @throws CredentialError when it throws: `problem`, then its message */
export function orCredentialError<T>(file: CredentialFile, problem: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CredentialError(file, `${problem}: ${why}`, { cause });
  }
}

/** @throws CredentialError */
export function readCredentialFile(file: CredentialFile): Buffer {
  try {
    return readFileSync(file.path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = UNREADABLE[code ?? '']?.(file.path) ?? message;
    throw new CredentialError(file, `cannot be read: ${why}`, { cause });
  }
}

const UNREADABLE: Readonly<Partial<Record<string, (path: string) => string>>> = {
  ENOENT: () => 'there is no such file',
  EISDIR: () => 'it is a folder; name the file in it',
  EACCES: (path) =>
    `permission denied for user ${userName()}; to let its group read the file: chgrp ${userName()} ${path}; chmod 640 ${path}`,
};

/** The number if the user has no name, as in a container. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
