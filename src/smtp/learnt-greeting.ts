/** The greeting of a backend, as far as it is the same each time. */
import { wholeReply, type Reply } from './reply.js';

interface Seen {
  readonly whole: string;
  readonly words: string;
  readonly since: number;
}

export class LearntGreeting {
  #seen: Seen | undefined;
  /** `whole` and `words` once that is known to be the same each time. */
  #constant: 'whole' | 'words' | undefined;

  /** What every client is greeted with; undefined until enough greetings were seen. */
  get bytes(): Buffer | undefined {
    if (this.#seen === undefined || this.#constant === undefined) return undefined;
    return Buffer.from(this.#constant === 'whole' ? this.#seen.whole : this.#seen.words, 'latin1');
  }

  /**
   * @param now milliseconds, on any clock
   * @returns false where it differs in more than what may differ
   */
  add(reply: Reply, now: number): boolean {
    const whole = wholeReply(reply).toString('latin1');
    const words = firstWords(whole);
    this.#seen ??= { whole, words, since: now };
    if (words !== this.#seen.words) return false;
    if (whole !== this.#seen.whole) this.#constant = 'words';
    else if (now - this.#seen.since >= APART_MS) this.#constant ??= 'whole';
    return true;
  }
}

/** The host name, and ESMTP where the first line has that word: what RFC 5321, 4.2 and clients look for. */
function firstWords(greeting: string): string {
  const [line = ''] = greeting.slice(4).split('\r\n');
  const [host = ''] = line.trim().split(/[ \t]/);
  return `220 ${host}${/\bESMTP\b/i.test(line) ? ' ESMTP' : ''}\r\n`;
}

/** Greetings hold the time in seconds; two of the same second show nothing. */
const APART_MS = 1_000;
