/** Finds the files that a configuration names: relative to its folder, or among the credentials of systemd. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { didYouMean } from './did-you-mean.js';

/**
 * The meaning of `credential:NAME`: a file in this folder, or, outside of the service, the file that the unit loads by
 * that name (systemd.exec, "Credentials").
 */
export type Credentials = string | ReadonlyMap<string, string> | undefined;

export interface PathContext {
  /** The folder of the configuration file. */
  readonly folder: string;
  readonly credentials: Credentials;
}

/** @returns an absolute path, or the problem and the next step */
export function resolvePath(written: string, { folder, credentials }: PathContext): string | Mistake {
  if (!written.startsWith(CREDENTIAL)) return resolve(folder, written);
  const name = written.slice(CREDENTIAL.length);
  if (!/^[\w.@-]+$/.test(name) || /^\.\.?$/.test(name)) {
    return { mistake: `${JSON.stringify(written)} names no credential; write "${CREDENTIAL}NAME"` };
  }
  const load = `add LoadCredential=${name}:/path/to/the/file to the unit, or write a path here`;
  if (credentials === undefined) {
    return { mistake: `"${written}" is for systemd, which did not set $CREDENTIALS_DIRECTORY; ${load}` };
  }
  const files = typeof credentials === 'string' ? filesIn(credentials) : credentials;
  const path = files.get(name);
  if (path !== undefined) return path;
  const meant = didYouMean(name, [...files.keys()]);
  const hint = meant === undefined ? load : `did you mean "${CREDENTIAL}${meant}"?`;
  const where = typeof credentials === 'string' ? credentials : 'the unit of the service';
  return { mistake: `there is no credential "${name}" in ${where}; ${hint}` };
}

export interface Mistake {
  readonly mistake: string;
}

/** Empty if the folder cannot be read. */
function filesIn(folder: string): ReadonlyMap<string, string> {
  try {
    return new Map(readdirSync(folder).map((name) => [name, join(folder, name)]));
  } catch {
    return new Map();
  }
}

const CREDENTIAL = 'credential:';
