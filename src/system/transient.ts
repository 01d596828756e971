/** Errors of the system that may be gone when the program starts again, unlike a mistake in the configuration. */

/** @param error itself, or what it was caused by */
export function isTransient(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined && TRANSIENT.has(code)) return true;
  }
  return false;
}

const TRANSIENT: ReadonlySet<string> = new Set([
  // Another program stops a moment later, or the network is not up yet.
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  // The machine is short of something.
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ENOSPC',
  'EIO',
]);
