/** A certificate or key that cannot be used, and reading the files that hold them. */
import { readFileSync } from 'node:fs';

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

/** @throws CredentialError where `action` throws, with what that says behind `problem` */
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
  return orCredentialError(file, 'cannot be read', () => readFileSync(file.path));
}
