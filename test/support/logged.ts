/** The log of a mail server. It is written when its own logging comes to it, which may be after the mail has arrived. */
import { setTimeout as pause } from 'node:timers/promises';

/** @returns the log, as soon as it has all of `wanted`; without them, if they do not come */
export async function logged(mta: { log(): string }, ...wanted: (string | RegExp)[]): Promise<string> {
  const deadline = performance.now() + PATIENCE_MS;
  const complete = (): boolean =>
    wanted.every((text) => (typeof text === 'string' ? mta.log().includes(text) : text.test(mta.log())));
  while (!complete() && performance.now() < deadline) await pause(20);
  return mta.log();
}

const PATIENCE_MS = 20_000;
