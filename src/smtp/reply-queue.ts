/** What the client waits for, in order: replies of the backend, and our own in between. */
import type { OwnReply } from './replies.js';

/** What a reply of the backend is about. `content`: the end of the content of DATA. */
export type ReplyTo = 'greeting' | 'ehlo' | 'helo' | 'starttls' | 'data' | 'content' | 'other';
/** `starttls`: ours to STARTTLS, which begins TLS. */
export type OwnTurn = OwnReply | 'starttls';

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

  expectOwn(reply: OwnTurn): void {
    this.#turns.push({ from: 'gate', reply });
  }

  /** The backend's reply has come, if one was due. */
  shiftBackend(): void {
    if (this.#turns[0]?.from === 'backend') this.#turns.shift();
  }

  /** Sends our own replies whose turn has come. @returns `starttls` where that one's turn has come, which ends them */
  sendOwn(send: (reply: OwnReply) => void): 'starttls' | undefined {
    for (let [first] = this.#turns; first?.from === 'gate'; [first] = this.#turns) {
      this.#turns.shift();
      if (first.reply === 'starttls') return 'starttls';
      send(first.reply);
    }
    return undefined;
  }
}

type Turn =
  { readonly from: 'backend'; readonly to: ReplyTo } | { readonly from: 'gate'; readonly reply: OwnTurn };

/** One object for all, as an envelope may have hundreds of recipients. */
const FROM_BACKEND = Object.fromEntries(
  (['greeting', 'ehlo', 'helo', 'starttls', 'data', 'content', 'other'] as const).map((to) => [
    to,
    { from: 'backend', to },
  ]),
) as Record<ReplyTo, Turn>;
