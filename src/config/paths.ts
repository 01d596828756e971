/** Where the files are that a configuration names: beside it, or among the credentials that systemd hands over. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nearest } from './did-you-mean.js';

export interface PathContext {
  /** The folder of the configuration file. */
  readonly folder: string;
  /** What `credential:` meaning: $CREDENTIALS_DIRECTORY, which systemd sets (systemd.exec, "Credentials"). */
  readonly credentials: string | undefined;
}

/** @returns an absolute path, or what is wrong and what to do */
export function resolvePath(written: string, { folder, credentials }: PathContext): string | Mistake {
  if (!written.startsWith(CREDENTIAL)) return resolve(folder, written);
  const name = written.slice(CREDENTIAL.length);
  if (!/^[\w.@-]+$/.test(name) || /^\.\.?$/.test(name)) {
    return { mistake: `${JSON.stringify(written)} names no credential; write "${CREDENTIAL}NAME"` };
  }
  const load = `add LoadCredential=${name}:/path/to/the/file to the unit, or give a path here`;
  if (credentials === undefined) {
    return { mistake: `"${written}" is for systemd, which did not set $CREDENTIALS_DIRECTORY; ${load}` };
  }
  const names = credentialNames(credentials);
  if (names.includes(name)) return join(credentials, name);
  const meant = nearest(name, names);
  const hint = meant === undefined ? load : `did you mean "${CREDENTIAL}${meant}"?`;
  return { mistake: `there is no credential "${name}" in ${credentials}; ${hint}` };
}

export interface Mistake {
  readonly mistake: string;
}

/** None where the folder cannot be read. */
function credentialNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const CREDENTIAL = 'credential:';
