/**
 * A backend's replies before MAIL, learnt from its sessions, so that oldhello can reply to the next client before it
 * opens a session. Learning stops for a backend that replies differently to different clients. Times are milliseconds
 * on one clock.
 */
import { repeatableEhlo, samePromises, type EhloReplies } from './learnt-ehlo.js';
import { LearntGreeting } from './learnt-greeting.js';
import { replyOf, type Reply } from './reply.js';

/** Why the backend itself replies to clients from the first byte. */
export const LIVE_REASONS = {
  greeting_refused: 'it greeted a session with a refusal',
  greeting_delayed: 'it delays its greeting (postscreen, a tarpit, or slow name lookups)',
  ehlo_refused: 'it refused an EHLO with a well-formed name',
  replies_vary: 'its greetings or its replies to EHLO are not the same for all clients',
} as const;

export type LiveReason = keyof typeof LIVE_REASONS;

/** Commands that are answered only without a parameter. */
export type SimpleVerb = 'NOOP' | 'RSET' | 'QUIT';

/** Replies as a backend sent them. */
export type SimpleReplies = Readonly<Partial<Record<SimpleVerb, Buffer>>>;

export interface SessionReplies extends EhloReplies {
  readonly greeting: Buffer;
  /** As the backend sent it. */
  readonly ehlo: Reply;
  readonly simple: SimpleReplies;
}

/** Complete replies to the commands of a health check, in latin1. */
export type HealthReplies = Readonly<Record<'greeting' | 'ehlo' | SimpleVerb, string>>;

export class LearntReplies {
  readonly #turnedOff: (reason: LiveReason, forMs: number) => void;
  #greeting = new LearntGreeting();
  /** In clear and inside TLS, because backends may offer more inside TLS. */
  #ehlo: Partial<Record<'clear' | 'tls', Reply>> = {};
  #simple: SimpleReplies = {};
  #seen = -Infinity;
  #changed = -Infinity;
  #offUntil = -Infinity;
  #delayed = 0;

  /** @param turnedOff called when learning stops for some time */
  constructor(turnedOff: (reason: LiveReason, forMs: number) => void) {
    this.#turnedOff = turnedOff;
  }

  /** The replies for a client now; undefined if the first session must be live. */
  replies(now: number): SessionReplies | undefined {
    const greeting = this.#greeting.bytes;
    const { clear } = this.#ehlo;
    if (greeting === undefined || clear === undefined || now - this.#seen >= LIFETIME_MS) return undefined;
    return { greeting, ehlo: clear, ...repeatableEhlo(clear), simple: this.#simple };
  }

  /**
   * @param delay milliseconds that the greeting took; undefined if it was not measured
   * @param source the address of the client that was greeted
   */
  greeted(reply: Reply, delay: number | undefined, now: number, source: string): void {
    if (now < this.#offUntil) return;
    if (delay !== undefined) this.#delayed = delay < DELAY_MS ? 0 : this.#delayed + 1;
    if (reply.code !== 220) this.#turnOff('greeting_refused', now);
    // postscreen sends the first of several lines at once, as a test for clients that do not wait for the last one.
    else if (this.#delayed >= (reply.lines.length > 1 ? 1 : MAX_DELAYED))
      this.#turnOff('greeting_delayed', now);
    else if (!isShort(reply)) this.forget();
    else if (!this.#greeting.add(reply, now, source)) this.#change(now);
    else this.#seen = now;
  }

  /** @param security whether the client had TLS in this session */
  ehloAnswered(security: 'clear' | 'tls', reply: Reply, now: number): void {
    if (now < this.#offUntil) return;
    const before = this.#ehlo[security];
    if (reply.code === SERVICE_CLOSING) this.forget();
    else if (reply.code !== 250) this.#turnOff('ehlo_refused', now);
    else if (before !== undefined && !samePromises(before, reply)) this.#change(now);
    else if (isShort(reply)) {
      this.#ehlo[security] = reply;
      this.#seen = now;
    }
  }

  /** The replies in a session of our own, in clear. */
  healthChecked({ greeting, ehlo, ...simple }: HealthReplies, now: number): void {
    this.greeted(replyOf(greeting), undefined, now, 'health check');
    this.ehloAnswered('clear', replyOf(ehlo), now);
    const entries = Object.entries(simple).filter(([, text]) => text.startsWith('2'));
    this.#simple = Object.fromEntries(entries.map(([verb, text]) => [verb, Buffer.from(text, 'latin1')]));
  }

  /** After a failure, and if another server may have taken the address. */
  forget(): void {
    this.#greeting = new LearntGreeting();
    this.#ehlo = {};
    this.#simple = {};
  }

  /**
   * A first change may be a new configuration. A second one soon after means different replies for different clients.
   */
  #change(now: number): void {
    const again = now - this.#changed < CHANGE_MS;
    this.#changed = now;
    if (again) this.#turnOff('replies_vary', now);
    else this.forget();
  }

  #turnOff(reason: LiveReason, now: number): void {
    this.forget();
    this.#delayed = 0;
    this.#offUntil = now + OFF_MS;
    this.#turnedOff(reason, OFF_MS);
  }
}

function isShort({ lines }: Reply): boolean {
  return lines.reduce((length, line) => length + line.length, 0) <= MAX_REPLY_BYTES;
}

const SERVICE_CLOSING = 421;
const MINUTE_MS = 60_000;
/** Since the last session or health check with the same replies. */
const LIFETIME_MS = 10 * MINUTE_MS;
const CHANGE_MS = 24 * 60 * MINUTE_MS;
const OFF_MS = 60 * MINUTE_MS;
/** Less than postscreen waits under stress (postscreen_greet_wait). */
const DELAY_MS = 1_500;
/** In a row, because a single one may be caused by a slow name lookup. */
const MAX_DELAYED = 3;
/** Ten times more than servers send; each worker keeps three such replies for each backend. */
const MAX_REPLY_BYTES = 8_192;
