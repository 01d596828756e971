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

/** A TLS record with a handshake, or a hello in the format of SSLv2, where a command should begin. */
export function looksLikeClientHello(bytes: Buffer): boolean {
  return bytes[0] === TLS_HANDSHAKE || (bytes[0]! >= SSLV2_HEADER && bytes[2] === SSLV2_CLIENT_HELLO);
}

/** Space in front, and what C calls space: no grammar has it, but some backends skip it, and would see another verb. */
const VERB = /^[ \t\v\f]*([^ \t\v\f]*)/;

/** With CRLF: RFC 5321, 4.5.3.1.4 has 512, and the extensions of MAIL and RCPT add to it. */
export const MAX_COMMAND_LINE_BYTES = 2048;

const TLS_HANDSHAKE = 0x16;
/** The highest bit of a two-byte record header (RFC 5246, E.2). */
const SSLV2_HEADER = 0x80;
const SSLV2_CLIENT_HELLO = 1;
