/** Peers are required where this project is tested for real, and welcome elsewhere. */
import type { Test } from 'tap';

/**
 * True where the peer is there. Where it is not, the test is skipped for all to see, or fails under CI.
 * @param lack what is missing, undefined if nothing is
 */
export function hasPeer(t: Test, name: string, lack: string | undefined): boolean {
  if (lack === undefined) return true;
  if (process.env['CI'] === undefined) t.pass(name, { skip: lack });
  else t.fail(`${name}: ${lack}`);
  return false;
}
