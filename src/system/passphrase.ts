/** What opens an encrypted key. */
import { CredentialError, readCredentialFile, type CredentialFile } from './credential-error.js';

export interface Passphrase {
  readonly file: CredentialFile;
  readonly text: string;
}

/**
 * The first line of the file, in UTF-8.
 * @throws CredentialError
 */
export function readPassphrase(path: string): Passphrase {
  const file = { key: 'passphrase-file', path } as const;
  const [text = ''] = readCredentialFile(file).toString('utf8').split(/\r?\n/, 1);
  if (text === '') throw new CredentialError(file, 'has no passphrase in its first line');
  return { file, text };
}
