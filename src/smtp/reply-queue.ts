/** What the client waits for, in order: replies of the backend, and our own in between. */
import type { ContentState } from './client-stream.js';
import type { GateRefusal } from './gate-refusals.js';
import type { OwnReply } from './replies.js';

/** What a reply of the backend is about. `content`: the end of the content of DATA. */
export type ReplyTo = 'greeting' | 'ehlo' | 'helo' | 'starttls' | 'data' | 'content' | 'other';
/** Nothing follows it: our reply to STARTTLS, a command that ends parsing, or the refusal that ends the connection. */
export type LastTurn = 'starttls' | 'stop_parsing' | GateRefusal;

export class ReplyQueue {
  readonly #turns: Turn[] = [];

  get length(): number {
    return this.#turns.length;
  }

  /** What the backend's next reply is about; undefined where none is due, or ours comes first. */
  get nextFromBackend(): ReplyTo | undefined {
    const [first] = this.#turns;
    return first?.from === 'backend' ? first.to : undefined;
  }

  get awaitsBackend(): boolean {
    return this.#turns.some(({ from }) => from === 'backend');
  }

  /** No reply to EHLO or HELO is outstanding. */
  get knowsExtensions(): boolean {
    return !this.#turns.some((turn) => turn.from === 'backend' && (turn.to === 'ehlo' || turn.to === 'helo'));
  }

  expectBackend(to: ReplyTo): void {
    this.#turns.push(FROM_BACKEND[to]);
  }

  expectOwn(reply: OwnReply): void {
    this.#turns.push({ from: 'gate', reply });
  }

  expectLast(last: LastTurn): void {
    this.#turns.push({ from: 'gate', last });
  }

  /**
   * The refusal comes behind all that is due. But it takes the place of a reply with which the session would go on, and of
   * the one to content without an end, which may never come.
   */
  refuse(reason: GateRefusal, content: ContentState): void {
    const last = this.#turns.at(-1);
    if (last !== undefined && isReplaceable(last, content)) this.#turns.pop();
    this.expectLast(reason);
  }

  /** The backend's reply has come, if one was due. */
  shiftBackend(): void {
    if (this.#turns[0]?.from === 'backend') this.#turns.shift();
  }

  /** Sends our own replies whose turn has come. @returns what comes last, where its turn has come */
  sendOwn(send: (reply: OwnReply) => void): LastTurn | undefined {
    for (let [first] = this.#turns; first?.from === 'gate'; [first] = this.#turns) {
      this.#turns.shift();
      if ('last' in first) return first.last;
      send(first.reply);
    }
    return undefined;
  }
}

type Turn =
  | { readonly from: 'backend'; readonly to: ReplyTo }
  | { readonly from: 'gate'; readonly reply: OwnReply }
  | { readonly from: 'gate'; readonly last: LastTurn };

function isReplaceable(turn: Turn, content: ContentState): boolean {
  if (turn.from === 'gate') return 'last' in turn;
  return REPLACEABLE.has(turn.to) || (turn.to === 'content' && content !== 'over');
}

const REPLACEABLE: ReadonlySet<ReplyTo> = new Set(['greeting', 'starttls', 'data']);

/** One object for all, as an envelope may have hundreds of recipients. */
const FROM_BACKEND = Object.fromEntries(
  (['greeting', 'ehlo', 'helo', 'starttls', 'data', 'content', 'other'] as const).map((to) => [
    to,
    { from: 'backend', to },
  ]),
) as Record<ReplyTo, Turn>;
