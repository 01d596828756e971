/**
 * Where logins are withheld, none reaches a backend: random sessions, cut and timed at random, in front of models of mail
 * servers that differ on what ends a line.
 */
import { test } from 'tap';
import { GateRig } from '../support/gate-rig.js';
import { LenientBackend, type Leniency } from '../support/lenient-backend.js';
import { rngFrom, type Rng } from '../support/mutate.js';

const SERVERS: Readonly<Record<string, Leniency>> = {
  'CR LF only': { lineEnd: /\r\n/, skipsNul: false, chunking: true },
  'LF too': { lineEnd: /\r?\n/, skipsNul: false, chunking: true },
  'LF too, NUL is nothing': { lineEnd: /\r?\n/, skipsNul: true, chunking: false },
  'CR too': { lineEnd: /\r\n|\n|\r(?=[^\n])|\r$/, skipsNul: false, chunking: true },
  'CR too, NUL is nothing, no BDAT': { lineEnd: /\r\n|\n|\r/, skipsNul: true, chunking: false },
};

const SESSIONS = 20_000;
const ENVELOPE = 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n';

const FRAGMENTS = [
  'EHLO a\r\n',
  'HELO a\n',
  'MAIL FROM:<a@b>\r\n',
  'RCPT TO:<c@d>\r\n',
  'DATA\r\n',
  'DATA\n',
  'BDAT 12\r\n',
  'BDAT 5 LAST\r\n',
  'BDAT 07\r\n',
  'BDAT 9 X\r\n',
  'RSET\r\n',
  'NOOP x\n',
  'AUTH PLAIN AA==\r\n',
  'AUTH PLAIN AA==\n',
  ' AUTH LOGIN\r\n',
  'X-EXPS LOGIN\r\n',
  'text',
  '.',
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\r\n.\r\n',
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r\n.\r',
  '\r\n\0.\r\n',
];

/** What the backend executed in a session of fragments. */
function play(server: Leniency, rng: Rng): string[] {
  const replies: string[] = [];
  const backend = new LenientBackend(
    server,
    () => rng(4) > 0,
    (text) => replies.push(text),
  );
  const rig = new GateRig({ auth: 'withhold' }, (bytes) => backend.receive(bytes));
  rig.backend('220 m\r\n').client('EHLO a\r\n');
  const start = rng(2) === 0 ? ENVELOPE : '';
  let text = start + Array.from({ length: 1 + rng(12) }, () => FRAGMENTS[rng(FRAGMENTS.length)]!).join('');
  while ((text !== '' || replies.length > 0) && rig.ended === undefined) {
    if (replies.length > 0 && (text === '' || rng(2) === 0)) rig.backend(replies.shift()!);
    else {
      const length = 1 + rng(text.length);
      rig.client(text.slice(0, length));
      text = text.slice(length);
    }
  }
  return backend.executed;
}

for (const [name, server] of Object.entries(SERVERS)) {
  test(`${name}: no session out of thousands logs in`, async (t) => {
    let mails = 0;
    for (let seed = 1; seed <= SESSIONS; seed += 1) {
      const executed = play(server, rngFrom(seed));
      if (executed.includes('DATA')) mails += 1;
      const login = executed.find((verb) => verb.startsWith('AUTH') || verb === 'X-EXPS');
      if (login !== undefined) t.fail(`seed ${seed}: ${executed.join(', ')}`);
    }
    t.ok(mails > SESSIONS / 10, `${mails} sessions got as far as DATA`);
  });
}
