/**
 * Descriptions, log fields, metrics and the status page are made in the same call stack that forwards mail. A defect in
 * one of them must cost only its own result, never the connection or the process. So every observation on the data path
 * runs inside `guarded`.
 */

let report: (error: string) => void = () => undefined;
const reported = new Set<string>();

/** Sets the function that gets the first defect of each observation. */
export function reportDefectsTo(reporter: (error: string) => void): void {
  report = reporter;
}

/**
 * @param observation its name, a constant of the caller; only its first defect is reported, so that a hostile peer
 *   cannot fill the log
 * @returns undefined where it threw
 */
export function guarded<T>(observation: string, observe: () => T): T | undefined {
  try {
    return observe();
  } catch (error) {
    reportOnce(observation, error);
    return undefined;
  }
}

function reportOnce(observation: string, error: unknown): void {
  if (reported.has(observation)) return;
  // Before the report, because the report is an observation itself and may have the same defect.
  reported.add(observation);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  guarded('report of a defect', () => report(`${observation}: ${text.slice(0, MAX_REPORT_CHARACTERS)}`));
}

/** Characters of a stack trace. */
const MAX_REPORT_CHARACTERS = 4_000;
