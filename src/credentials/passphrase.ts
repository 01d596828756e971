/** What opens an encrypted key, or a door. */
import {
  CredentialError,
  readCredentialFile,
  type CredentialFile,
  type CredentialKey,
} from './credential-error.js';

export interface Passphrase {
  readonly file: CredentialFile;
  readonly text: string;
}

/**
 * The first line of the file, in UTF-8.
 * @throws CredentialError
 */
export function readPassphrase(path: string, key: CredentialKey = 'passphrase-file'): Passphrase {
  const file = { key, path };
  const [text = ''] = readCredentialFile(file).toString('utf8').split(/\r?\n/, 1);
  if (text === '') throw new CredentialError(file, 'has no passphrase in its first line');
  return { file, text };
}
