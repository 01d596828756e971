/** What no code of ours caught. The process cannot be trusted any more, so it says what happened, and ends. */

/** @param report says it, and resolves when it was said; bounded by this module's patience */
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
