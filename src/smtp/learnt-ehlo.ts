/** A backend's reply to EHLO: what of it may be repeated to another client, and whether two promise the same. */
import type { Reply } from './reply.js';

/** Replies to EHLO and to HELO. */
export interface EhloReplies {
  readonly EHLO: Buffer;
  readonly HELO: Buffer;
}

/**
 * With the first line as far as its domain: behind it servers greet the client by its name or address (RFC 5321, 4.1.1.1),
 * which no client reads.
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

/** What the client may use, without what the gate hides or replaces. */
export function promises({ lines }: Reply): readonly string[] {
  return lines
    .slice(1)
    .map(textOf)
    .filter((text) => !HIDDEN.has(/^[^ \t=]*/.exec(text)![0].toUpperCase()));
}

export function samePromises(one: Reply, other: Reply): boolean {
  return promises(one).join('\n') === promises(other).join('\n');
}

/** Whether a client that was shown one reply finds everything in the other. */
export function keepsPromises(shown: Reply, actual: Reply): boolean {
  const kept = new Set(promises(actual));
  return promises(shown).every((promise) => kept.has(promise));
}

/** Also in the form `AUTH=PLAIN`, which old clients look for, and by Exchange's name. */
export function offersLogin(reply: Reply): boolean {
  return promises(reply).some((promise) => /^(?:AUTH|X-EXPS)(?:[ \t=]|$)/i.test(promise));
}

function textOf(line: Buffer): string {
  return line.toString('latin1', 4).trim();
}

const HIDDEN: ReadonlySet<string> = new Set(['STARTTLS', 'XCLIENT', 'XFORWARD']);
