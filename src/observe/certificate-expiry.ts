/** When a certificate counts as about to expire: one threshold for the log and the status page. */

/** ACME clients renew a third of ninety days before the end, so below this renewal has failed for some time. */
export const CERTIFICATE_SOON_DAYS = 21;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Whole days; negative for a time in the past. @param nowMs Unix time */
export function daysUntil(time: string, nowMs: number): number {
  return Math.floor((Date.parse(time) - nowMs) / DAY_MS);
}
