/** A backend's reply to EHLO: the part that other clients may get, and comparisons of the offered extensions. */
import type { Reply } from './reply.js';

/** Replies to EHLO and to HELO. */
export interface EhloReplies {
  readonly EHLO: Buffer;
  readonly HELO: Buffer;
}

/**
 * The first line ends after the domain: after it, servers write the client's name or address (RFC 5321, 4.1.1.1), which
 * clients do not read.
 */
export function repeatableEhlo({ lines }: Reply): EhloReplies {
  const [first, ...keywords] = lines;
  const [domain = ''] = textOf(first!).split(/[ \t]/);
  const mark = keywords.length > 0 ? '-' : ' ';
  return {
    EHLO: Buffer.concat([Buffer.from(`250${mark}${domain}\r\n`, 'latin1'), ...keywords]),
    HELO: Buffer.from(`250 ${domain}\r\n`, 'latin1'),
  };
}

/** The extensions that the client may use, without those that the gate removes or replaces. */
export function promises({ lines }: Reply): readonly string[] {
  return lines
    .slice(1)
    .map(textOf)
    .filter((text) => !HIDDEN.has(/^[^ \t=]*/.exec(text)![0].toUpperCase()));
}

export function samePromises(one: Reply, other: Reply): boolean {
  return promises(one).join('\n') === promises(other).join('\n');
}

/** Whether `actual` offers all extensions of `shown`. */
export function keepsPromises(shown: Reply, actual: Reply): boolean {
  const kept = new Set(promises(actual));
  return promises(shown).every((promise) => kept.has(promise));
}

/** Also as `AUTH=PLAIN`, for old clients, and as Exchange's X-EXPS. */
export function offersLogin(reply: Reply): boolean {
  return promises(reply).some((promise) => /^(?:AUTH|X-EXPS)(?:[ \t=]|$)/i.test(promise));
}

function textOf(line: Buffer): string {
  return line.toString('latin1', 4).trim();
}

const HIDDEN: ReadonlySet<string> = new Set(['STARTTLS', 'XCLIENT', 'XFORWARD']);
