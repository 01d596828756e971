/** Files with a secret that others on this machine may read too. */
import { statSync } from 'node:fs';

export interface ExposedFile {
  readonly file: string;
  /** As chmod takes it. */
  readonly mode: string;
}

/** Those of `files` that are exposed. */
export function exposedOf(files: readonly string[]): ExposedFile[] {
  return files.flatMap((file) => {
    const mode = statSync(file).mode & PERMISSIONS;
    return (mode & READ_BY_OTHERS) === 0 ? [] : [{ file, mode: mode.toString(8).padStart(4, '0') }];
  });
}

const PERMISSIONS = 0o7777;
/** The group, and everybody else. */
const READ_BY_OTHERS = 0o044;
