/** The lines in clear before TLS. */

/** @returns where the line that contains `at` has its line feed, or `end` */
export function endOfLine(bytes: Buffer, at: number, end: number): number {
  // A loop, because a search by Buffer costs as much for an empty line as for a long one.
  while (at < end && bytes[at] !== NEWLINE) at += 1;
  return at;
}

const NEWLINE = 0x0a;
/** Of one side. Before TLS a client introduces itself, and a server lists what it supports. */
export const MAX_CLEAR_BYTES = 16_384;
