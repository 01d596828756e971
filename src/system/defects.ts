/** Uncaught errors. The state of the process is unknown then, so it reports the error and exits. */

/** @param report resolves when the error is reported; the process exits after REPORT_TIMEOUT_MS at the latest */
export function exitOnDefect(report: (error: string) => Promise<void>): void {
  let ending = false;
  const end = (cause: unknown): void => {
    if (ending) return;
    ending = true;
    const exit = (): never => process.exit(1);
    setTimeout(exit, REPORT_TIMEOUT_MS);
    report(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)).then(exit, exit);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

const REPORT_TIMEOUT_MS = 2_000;
