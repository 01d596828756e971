/** The greeting of a backend, as far as it is the same each time. */
import { wholeReply, type Reply } from './reply.js';

interface Seen {
  readonly whole: string;
  readonly words: string;
  readonly since: number;
  /** Whose session it was in. */
  readonly source: string;
}

export class LearntGreeting {
  #seen: Seen | undefined;
  /** The same was seen some time apart. */
  #lasts = false;
  /** The same was seen by two: what only one saw may hold its address, which is nobody else's to read. */
  #shared = false;
  #varies = false;

  /** What every client is greeted with; undefined until enough greetings were seen. */
  get bytes(): Buffer | undefined {
    if (this.#seen === undefined || !(this.#varies || this.#lasts)) return undefined;
    const isCommon = this.#shared && !this.#varies;
    return Buffer.from(isCommon ? this.#seen.whole : this.#seen.words, 'latin1');
  }

  /**
   * @param now milliseconds, on any clock
   * @param source the address of the client, or another word for who was greeted
   * @returns false where it differs in more than what may differ
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

/** The host name, and ESMTP where the first line has that word: what RFC 5321, 4.2 and clients look for. */
function firstWords(greeting: string): string {
  const [line = ''] = greeting.slice(4).split('\r\n');
  const [host = ''] = line.trim().split(/[ \t]/);
  return `220 ${host}${/\bESMTP\b/i.test(line) ? ' ESMTP' : ''}\r\n`;
}

/** Greetings hold the time in seconds; two of the same second show nothing. */
const APART_MS = 1_000;
