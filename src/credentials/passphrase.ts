/** Reads passphrases of keys and the password of the session store. */
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
 * @returns the first line of the file, in UTF-8
 * @throws CredentialError
 */
export function readPassphrase(path: string, key: CredentialKey = 'passphrase-file'): Passphrase {
  const file = { key, path };
  const [text = ''] = readCredentialFile(file).toString('utf8').split(/\r?\n/, 1);
  if (text === '') throw new CredentialError(file, 'has an empty first line; write the passphrase there');
  return { file, text };
}
