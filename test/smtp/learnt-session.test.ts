/** The session that stands in for a backend, and how the backend takes it over. */
import { test } from 'tap';
import { LearntReplies } from '../../src/smtp/learnt-replies.js';
import { LearntSession } from '../../src/smtp/learnt-session.js';

const EHLO = '250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n';

class Rig {
  readonly session: LearntSession;
  toClient = '';
  toBackend = '';
  readonly events: string[] = [];

  constructor() {
    const learnt = new LearntReplies(() => undefined);
    const health = {
      greeting: '220 mx.example ESMTP\r\n',
      ehlo: EHLO,
      NOOP: '250 noop\r\n',
      RSET: '250 rset\r\n',
      QUIT: '221 bye\r\n',
    };
    for (const now of [0, 2_000]) learnt.healthChecked(health, now);
    this.session = new LearntSession(learnt.replies(2_000)!, {
      toClient: (bytes) => (this.toClient += bytes.toString('latin1')),
      toBackend: (bytes) => (this.toBackend += bytes.toString('latin1')),
      open: () => this.events.push('open'),
      quit: () => this.events.push('quit'),
      replied: (to, { code }) => this.events.push(`${to} ${code}`),
      ready: () => this.events.push('ready'),
      refused: (reply) => this.events.push(`refused ${reply.toString().trim()}`),
      failed: (reason) => this.events.push(reason),
    });
  }

  client(...lines: readonly string[]): this {
    for (const line of lines) this.session.fromClient(Buffer.from(line, 'latin1'));
    return this;
  }

  /** @param bytes what the backend sends, from its greeting on */
  opened(bytes: string): this {
    this.session.opened();
    return this.backend(bytes);
  }

  backend(bytes: string): this {
    this.session.fromBackend(Buffer.from(bytes, 'latin1'));
    return this;
  }
}

test('EHLO, HELO, NOOP, RSET and QUIT need no backend', async (t) => {
  const rig = new Rig().client(
    'HELO a\r\n',
    'ehlo [IPv6:2001:db8::1]\r\n',
    'NOOP\r\n',
    'rset\r\n',
    'QUIT\r\n',
  );
  t.equal(rig.toClient, `250 mx.example\r\n${EHLO}250 noop\r\n250 rset\r\n221 bye\r\n`);
  t.same(rig.events, ['quit']);
});

for (const line of [
  'MAIL FROM:<a@b.example>\r\n',
  'EHLO\r\n',
  'EHLO a b\r\n',
  ' EHLO a\r\n',
  'EHLO a_$\r\n',
  'NOOP x\r\n',
  'QUIT now\r\n',
  'VRFY a\r\n',
  'AUTH PLAIN AA==\r\n',
]) {
  test(`${JSON.stringify(line)} is the backend's to answer`, async (t) => {
    const rig = new Rig().client('EHLO a\r\n', line);
    t.same([rig.events, rig.toClient, rig.toBackend], [['open'], EHLO, '']);
    rig.client('NOOP\r\n');
    t.equal(rig.toClient, EHLO, 'and so is everything behind it');
    rig.opened('220 mx.example ESMTP\r\n');
    t.equal(rig.toBackend, 'EHLO a\r\n');
    rig.backend(EHLO);
    t.equal(rig.toBackend, `EHLO a\r\n${line}NOOP\r\n`);
    t.equal(rig.toClient, EHLO, 'the client has had these replies');
    t.same(rig.events, ['open', 'greeting 220', 'ehlo 250', 'ready']);
  });
}

test('before EHLO, the backend replies to NOOP and RSET, and nothing is sent for the client', async (t) => {
  const rig = new Rig().client('NOOP\r\n').opened('220 mx.example ESMTP\r\n250 early\r\n');
  t.equal(rig.toBackend, 'NOOP\r\n');
  t.equal(rig.toClient, '250 early\r\n', 'what came behind the greeting is not lost');
});

test('the last EHLO or HELO is what the backend gets', async (t) => {
  const rig = new Rig()
    .client('EHLO a\r\n', 'HELO b\r\n', 'VRFY x\r\n')
    .opened('220 m\r\n')
    .backend('250 m\r\n');
  t.equal(rig.toBackend, 'HELO b\r\nVRFY x\r\n');
  t.same(rig.events, ['open', 'greeting 220', 'helo 250', 'ready']);
});

test('a client that keeps on asking gets the backend itself', async (t) => {
  const rig = new Rig().client('EHLO a\r\n', ...Array<string>(30).fill('NOOP\r\n'));
  t.same(rig.events, ['open']);
  t.equal(rig.toClient.match(/noop/g)?.length, 19);
});

test("a refusal is the reply to the next command, and nothing of the client's goes to that backend", async (t) => {
  for (const greeting of ['421 4.3.2 busy\r\n', '554-5.7.1 no\r\n554 never\r\n']) {
    const rig = new Rig().client('EHLO a\r\n', 'MAIL FROM:<a@b>\r\n').opened(greeting);
    t.equal(rig.events.at(-1), `refused ${greeting.trim()}`);
    t.equal(rig.toBackend, '');
  }
  const rig = new Rig()
    .client('EHLO a\r\n', 'MAIL FROM:<a@b>\r\n')
    .opened('220 m\r\n')
    .backend('550 5.7.1 who?\r\n');
  t.equal(rig.events.at(-1), 'refused 550 5.7.1 who?');
  t.equal(rig.toBackend, 'EHLO a\r\n');
});

test('a greeting that neither accepts nor refuses ends the session', async (t) => {
  for (const code of [200, 250, 299, 300, 354]) {
    const rig = new Rig().client('EHLO a\r\n', 'MAIL FROM:<a@b>\r\n').opened(`${code} mx.example\r\n`);
    t.equal(rig.events.at(-1), 'backend_reply_broken');
    t.equal(rig.toBackend, '');
  }
});

test('a backend that lacks what the client was offered ends the session; one that offers more does not', async (t) => {
  const play = (ehlo: string): Rig => {
    return new Rig().client('EHLO a\r\n', 'MAIL FROM:<a@b>\r\n').opened('220 m\r\n').backend(ehlo);
  };
  t.equal(play('250-mx.example\r\n250 SIZE 1000\r\n').events.at(-1), 'backend_changed');
  t.equal(play('250-mx.example\r\n250-SIZE 999\r\n250 PIPELINING\r\n').events.at(-1), 'backend_changed');
  const more = play('250-mx.example\r\n250-CHUNKING\r\n250-PIPELINING\r\n250 SIZE 1000\r\n');
  t.equal(more.events.at(-1), 'ready');
  t.equal(more.toBackend, 'EHLO a\r\nMAIL FROM:<a@b>\r\n');
  t.equal(play('hello\r\n').events.at(-1), 'backend_reply_broken');
});

test('however the replies of the backend are cut, the client gets the same', async (t) => {
  const bytes = `220 mx.example ESMTP\r\n${EHLO}250 2.1.0 Ok\r\n`;
  for (let at = 0; at <= bytes.length; at += 1) {
    const rig = new Rig().client('EHLO a\r\n', 'MAIL FROM:<a@b>\r\n');
    rig.opened(bytes.slice(0, at)).backend(bytes.slice(at));
    t.equal(rig.toClient, `${EHLO}250 2.1.0 Ok\r\n`);
  }
});
