/** As much of the command grammar as the gate must understand: the verb, and whether anything follows it. */

export interface Command {
  /** Upper case; RFC 5321, 2.4: verbs are case-insensitive. */
  readonly verb: string;
  readonly argument: string;
}

/** @param line with its CRLF */
export function parseCommand(line: Buffer): Command {
  const text = line.toString('latin1', 0, line.length - 2);
  const space = text.search(/[ \t]/);
  const verb = space < 0 ? text : text.slice(0, space);
  return { verb: verb.toUpperCase(), argument: space < 0 ? '' : text.slice(space).trim() };
}

/** Bytes with CRLF: RFC 5321, 4.5.3.1.4 has 512, and the extensions of MAIL and RCPT add to it. */
export const MAX_COMMAND_LINE = 2048;
