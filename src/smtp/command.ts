/** As much of the command grammar as the gate must understand: the verb, and whether anything follows it. */

export interface Command {
  /** Upper case; RFC 5321, 2.4: verbs are case-insensitive. */
  readonly verb: string;
  readonly argument: string;
}

/** @param line with its CRLF */
export function parseCommand(line: Buffer): Command {
  const text = line.toString('latin1', 0, line.length - 2);
  const [start, verb = ''] = VERB.exec(text)!;
  return { verb: verb.toUpperCase(), argument: text.slice(start.length).trim() };
}

/** Space in front, and what C calls space: no grammar has it, but some backends skip it, and would see another verb. */
const VERB = /^[ \t\v\f]*([^ \t\v\f]*)/;

/** Bytes with CRLF: RFC 5321, 4.5.3.1.4 has 512, and the extensions of MAIL and RCPT add to it. */
export const MAX_COMMAND_LINE = 2048;
