/**
 * Answered from what was learnt or by the backend itself, a client gets the same bytes, and the backend comes to the same
 * state: random sessions, cut at random, in front of models of mail servers.
 */
import { test } from 'tap';
import { LearntReplies, type SessionReplies } from '../../src/smtp/learnt-replies.js';
import { LearntSession } from '../../src/smtp/learnt-session.js';
import { GateRig } from '../support/gate-rig.js';
import { LenientBackend, type Leniency } from '../support/lenient-backend.js';
import { rngFrom, type Rng } from '../support/mutate.js';

const SERVERS: Readonly<Record<string, Leniency>> = {
  'CR LF only': { lineEnd: /\r\n/, skipsNul: false, chunking: true },
  'LF too, no BDAT': { lineEnd: /\r?\n/, skipsNul: true, chunking: false },
};

const SESSIONS = 10_000;
const GREETING = '220 m ESMTP\r\n';
const ANSWERED = ['EHLO', 'HELO', 'NOOP', 'RSET', 'QUIT'];

const FRAGMENTS = [
  'EHLO a\r\n',
  'EHLO b.example\r\n',
  'EHLO [192.0.2.1]\r\n',
  'EHLO \r\n',
  'ehlo a b\r\n',
  'HELO a\n',
  'NOOP\r\n',
  'NOOP x\r\n',
  'RSET\r\n',
  'QUIT\r\n',
  'STARTTLS\r\n',
  'STARTTLS now\r\n',
  'XCLIENT ADDR=192.0.2.1\r\n',
  'VRFY a\r\n',
  'AUTH PLAIN AA==\r\n',
  'MAIL FROM:<a@b>\r\n',
  'RCPT TO:<c@d>\r\n',
  'DATA\r\n',
  'text\r\n.\r\n',
  'BDAT 5 LAST\r\n',
  'BDAT x\r\n',
  'hello',
  'NOOP\0\r\n',
  '\r\n',
];

/** What a health check of the model learns. */
function learnFrom(server: Leniency): SessionReplies {
  const ehlo = server.chunking ? '250-m\r\n250 CHUNKING\r\n' : '250 m\r\n';
  const health = { greeting: GREETING, ehlo, NOOP: '250 ok\r\n', RSET: '250 ok\r\n', QUIT: '221 bye\r\n' };
  const learnt = new LearntReplies(() => undefined);
  learnt.healthChecked(health, 0);
  learnt.healthChecked(health, 2_000);
  return learnt.replies(2_000)!;
}

interface Played {
  readonly toClient: string;
  readonly ended: GateRig['ended'];
  readonly executed: readonly string[];
}

/** One session, in lockstep: all replies arrive before the client's next bytes. */
function play(
  server: Leniency,
  pieces: readonly string[],
  rng: Rng,
  learnt: SessionReplies | undefined,
): Played {
  const options = {
    auth: rng(2) === 0 ? 'offer' : 'withhold',
    starttls: rng(3) === 0 ? 'hide' : 'offer',
  } as const;
  const due: (() => void)[] = [];
  const backend = new LenientBackend(
    server,
    () => rng(4) > 0,
    (text) => due.push(() => fromBackend(Buffer.from(text))),
  );
  const passing = (): boolean => rig.ended === 'pass_through';
  const toClient = (bytes: Buffer): void => {
    if (passing()) rig.toClient += bytes.toString('latin1');
    else rig.gate.fromBackend(bytes);
  };
  const session =
    learnt &&
    new LearntSession(learnt, {
      toClient: (bytes) => due.push(() => toClient(bytes)),
      toBackend: (bytes) => backend.receive(bytes),
      open: () =>
        due.push(() => {
          session!.opened();
          session!.fromBackend(Buffer.from(GREETING));
        }),
      quit: () => undefined,
      replied: () => undefined,
      ready: () => undefined,
      refused: () => undefined,
      failed: (reason) => {
        throw new Error(reason);
      },
    });
  const fromBackend = (bytes: Buffer): void =>
    session === undefined ? toClient(bytes) : session.fromBackend(bytes);
  const toBackend = (bytes: Buffer): void =>
    session === undefined ? backend.receive(bytes) : session.fromClient(bytes);
  const rig: GateRig = new GateRig(options, toBackend);
  rig.backend(learnt === undefined ? GREETING : learnt.greeting.toString('latin1'));
  for (const piece of pieces) {
    if (passing()) toBackend(Buffer.from(piece, 'latin1'));
    else rig.client(piece);
    while (due.length > 0) due.shift()!();
    if ((rig.ended !== undefined && !passing()) || rig.toClient.includes('221 bye')) break;
  }
  return { toClient: rig.toClient, ended: rig.ended, executed: backend.executed };
}

function cut(text: string, rng: Rng): string[] {
  if (text === '') return [];
  const length = 1 + rng(text.length);
  return [text.slice(0, length), ...cut(text.slice(length), rng)];
}

/** From the first command on that only the backend can answer. */
function unanswered(executed: readonly string[]): readonly string[] {
  const first = executed.findIndex((verb) => !ANSWERED.includes(verb));
  return first < 0 ? [] : executed.slice(first);
}

for (const [name, server] of Object.entries(SERVERS)) {
  test(`${name}: learnt replies are the same as live ones`, async (t) => {
    const learnt = learnFrom(server);
    let spared = 0;
    for (let seed = 1; seed <= SESSIONS; seed += 1) {
      const rng = rngFrom(seed);
      const text = Array.from({ length: 1 + rng(12) }, () => FRAGMENTS[rng(FRAGMENTS.length)]!).join('');
      const pieces = cut(text, rng);
      const live = play(server, pieces, rngFrom(seed), undefined);
      const deferred = play(server, pieces, rngFrom(seed), learnt);
      if (deferred.executed.length === 0) spared += 1;
      const [one, other] = [live, deferred].map(({ executed, ...rest }) => {
        return JSON.stringify({ ...rest, executed: unanswered(executed) });
      });
      if (one !== other) t.fail(`seed ${seed}: ${JSON.stringify(pieces)}\n${one}\n${other}`);
    }
    t.ok(spared > SESSIONS / 20 && spared < SESSIONS / 2, `${spared} sessions needed no backend`);
  });
}
