/**
 * Notices that no file descriptor is left. libuv keeps one in reserve with which it accepts and closes the clients that
 * there is no other for, so the listening socket reports nothing.
 */
import { openFilesLimit } from './descriptors.js';

export interface Exhaustion {
  /** Open files that this process may have; undefined where the system names no limit. */
  readonly limit: number | undefined;
  /** "EMFILE": the limit of the process; "ENFILE": that of the whole machine. */
  readonly error: 'EMFILE' | 'ENFILE';
}

/** @param report called when none is left, and each minute while that lasts */
export function watchDescriptors(report: (exhaustion: Exhaustion) => void): void {
  let limit: number | undefined;
  let reported = -Infinity;
  const check = (): void => {
    try {
      limit = openFilesLimit();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EMFILE' && code !== 'ENFILE') return;
      const now = performance.now();
      if (now - reported < REPORT_INTERVAL_MS) return;
      reported = now;
      report({ limit, error: code });
    }
  };
  check();
  setInterval(check, CHECK_INTERVAL_MS).unref();
}

/** To open one file a second costs nothing. */
const CHECK_INTERVAL_MS = 1_000;
const REPORT_INTERVAL_MS = 60_000;
