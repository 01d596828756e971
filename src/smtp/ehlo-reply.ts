/** What is changed in the backend's reply to EHLO before the client sees it, and what is read from it. */
import type { Reply } from './reply.js';

export interface EhloRewrite {
  /** `replace` by ours, `keep` the backend's if it has one, or `remove` it. */
  readonly starttls: 'replace' | 'keep' | 'remove';
  /** Removes what announces a login, or a command that the gate does not pass on while it looks out for logins. */
  readonly withholdAuth: boolean;
}

/**
 * The reply to EHLO as the client may see it: without what the backend offers only to us, and with our STARTTLS. Lines
 * that stay, stay byte for byte, but for the mark that shows whether another follows.
 */
export function rewriteEhloReply({ lines }: Reply, rewrite: EhloRewrite): Buffer {
  const [greeting, ...keywords] = lines;
  const kept = [greeting!, ...keywords.flatMap((line) => rewriteKeyword(line, rewrite))];
  if (rewrite.starttls === 'replace') kept.push(Buffer.from('250 STARTTLS\r\n'));
  return Buffer.concat(kept.map((line, index) => withMark(line, index < kept.length - 1 ? HYPHEN : SPACE)));
}

function rewriteKeyword(line: Buffer, { starttls, withholdAuth }: EhloRewrite): Buffer[] {
  const text = line.toString('latin1', 4, line.length - 2);
  const keyword = /^[^ \t=]*/.exec(text)![0].toUpperCase();
  if (HIDDEN.has(keyword)) return [];
  if (keyword === 'STARTTLS') return starttls === 'keep' ? [line] : [];
  if (withholdAuth) return WITHHELD.has(keyword) ? [] : [line];
  return keyword === 'AUTH' ? withoutChannelBinding(line, text) : [line];
}

/** RFC 5802, 6: channel binding would bind to a TLS session that the backend is no part of. */
function withoutChannelBinding(line: Buffer, text: string): Buffer[] {
  const [, keyword, mechanisms] = /^([^ \t=]*[ \t=])(.*)$/.exec(text) ?? [];
  if (keyword === undefined || !/-PLUS\b/i.test(mechanisms!)) return [line];
  const kept = mechanisms!.split(/[ \t]+/).filter((name) => name !== '' && !/-PLUS$/i.test(name));
  if (kept.length === 0) return [];
  return [Buffer.concat([line.subarray(0, 4), Buffer.from(`${keyword}${kept.join(' ')}\r\n`, 'latin1')])];
}

function withMark(line: Buffer, mark: number): Buffer {
  if (line[3] === mark) return line;
  const marked = line.length > 5 ? Buffer.from(line) : Buffer.from(`${line.toString('latin1', 0, 3)} \r\n`);
  marked[3] = mark;
  return marked;
}

/** The parameters of a keyword in a reply to EHLO; undefined where it is not offered. */
export function offered({ lines }: Reply, keyword: string): readonly string[] | undefined {
  for (const line of lines.slice(1)) {
    const [name, ...parameters] = line
      .toString('latin1', 4)
      .trim()
      .toUpperCase()
      .split(/[ \t]+/);
    if (name === keyword) return parameters;
  }
  return undefined;
}

/** For clients that the backend trusts, which is the proxy and not its client. */
const HIDDEN = new Set(['XCLIENT', 'XFORWARD']);
/** Logins, also by Exchange's names for them, and commands that need one or have no plain syntax. */
const WITHHELD = new Set([
  'AUTH',
  'X-EXPS',
  'X-ANONYMOUSTLS',
  'XEXCH50',
  'X-LINK2STATE',
  'BURL',
  'ATRN',
  'TURN',
]);
const HYPHEN = 0x2d;
const SPACE = 0x20;
