/** Finds files with secrets that other users than the service can read or change. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ExposedFile {
  readonly file: string;
  /** In octal, as for chmod. */
  readonly mode: string;
  readonly remedy: string;
}

/** @param groups of the service; these may read a file */
export function exposedOf(files: readonly string[], groups: readonly number[] = ownGroups()): ExposedFile[] {
  return files.filter((file) => !isCredentialOfSystemd(file)).flatMap((file) => exposureOf(file, groups));
}

function exposureOf(file: string, groups: readonly number[]): ExposedFile[] {
  const { mode, gid } = statSync(file);
  const open = [
    ...((mode & GROUP) !== 0 && gid !== ROOT_GROUP && !groups.includes(gid) ? ['g='] : []),
    ...((mode & OTHERS) !== 0 ? ['o='] : []),
  ];
  if (open.length === 0) return [];
  const permissions = (mode & PERMISSIONS).toString(8).padStart(4, '0');
  return [{ file, mode: permissions, remedy: `chmod ${open.join(',')} ${file}` }];
}

/** systemd sets the modes of these files, in a folder that only the service can enter. */
function isCredentialOfSystemd(file: string): boolean {
  const folder = dirname(file);
  return folder === process.env['CREDENTIALS_DIRECTORY'] || dirname(folder) === '/run/credentials';
}

function ownGroups(): number[] {
  return [process.getegid?.() ?? ROOT_GROUP, ...(process.getgroups?.() ?? [])];
}

const PERMISSIONS = 0o7777;
/** Read and write bits. */
const GROUP = 0o060;
const OTHERS = 0o006;
const ROOT_GROUP = 0;
