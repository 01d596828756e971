/** Uncaught errors. The state of the process is unknown then, so it reports the error and exits. */

/**
 * @param report resolves when the error is reported; the process exits after REPORT_TIMEOUT_MS at the latest
 * @param exit ends the process
 */
export function exitOnDefect(
  report: (error: string) => Promise<void>,
  exit: (code: number) => never = (code) => process.exit(code),
): void {
  let ending = false;
  const end = (cause: unknown): void => {
    if (ending) return;
    ending = true;
    const fail = (): never => exit(1);
    setTimeout(fail, REPORT_TIMEOUT_MS);
    report(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)).then(fail, fail);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

const REPORT_TIMEOUT_MS = 2_000;
