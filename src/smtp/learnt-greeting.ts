/** The part of a backend's greeting that is the same for all clients. */
import { wholeReply, type Reply } from './reply.js';

interface Seen {
  readonly whole: string;
  readonly words: string;
  readonly since: number;
  /** See `add`. */
  readonly source: string;
}

export class LearntGreeting {
  #seen: Seen | undefined;
  /** The same greeting was seen twice, at least APART_MS apart. */
  #lasts = false;
  /** Two sources got the same greeting. A greeting for one client may have its address, which others must not see. */
  #shared = false;
  #varies = false;

  /** The greeting for all clients; undefined until there were enough greetings. */
  get bytes(): Buffer | undefined {
    if (this.#seen === undefined || !(this.#varies || this.#lasts)) return undefined;
    const isCommon = this.#shared && !this.#varies;
    return Buffer.from(isCommon ? this.#seen.whole : this.#seen.words, 'latin1');
  }

  /**
   * @param now milliseconds, on any clock
   * @param source the address of the client that was greeted, or a name for another source
   * @returns false if the host name or ESMTP differs
   */
  add(reply: Reply, now: number, source: string): boolean {
    const whole = wholeReply(reply).toString('latin1');
    const words = firstWords(whole);
    this.#seen ??= { whole, words, since: now, source };
    if (words !== this.#seen.words) return false;
    if (whole !== this.#seen.whole) this.#varies = true;
    if (now - this.#seen.since >= APART_MS) this.#lasts = true;
    if (source !== this.#seen.source) this.#shared = true;
    return true;
  }
}

/** The host name, and ESMTP if the first line has that word: RFC 5321, 4.2 and clients need no more. */
function firstWords(greeting: string): string {
  const [line = ''] = greeting.slice(4).split('\r\n');
  const [host = ''] = line.trim().split(/[ \t]/);
  return `220 ${host}${/\bESMTP\b/i.test(line) ? ' ESMTP' : ''}\r\n`;
}

/** Greetings may have the time in seconds, so two of the same second may be equal by chance. */
const APART_MS = 1_000;
