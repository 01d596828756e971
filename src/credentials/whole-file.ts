/** Writes files whose half would be of no use. */
import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a file as a whole or not at all, also if the disk is full or the power fails. It has its final mode from the start.
 * @param gid the group of the file; absent: that of the process
 * @throws system errors
 */
export function writeWhole(path: string, text: string, mode: number, gid?: number): void {
  const temporary = `${path}.new`;
  // One that was left behind may have another mode.
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx', mode);
  try {
    writeFileSync(fd, text);
    if (gid !== undefined) fchownSync(fd, -1, gid);
    // A rename alone may reach the disk before the content.
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}
