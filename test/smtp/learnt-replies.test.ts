/** What is learnt of a backend, what is not, and when it is forgotten. Times are milliseconds. */
import { test } from 'tap';
import { LearntReplies, type HealthReplies, type LiveReason } from '../../src/smtp/learnt-replies.js';
import { replyOf } from '../../src/smtp/reply.js';

const HEALTH: HealthReplies = {
  greeting: '220 mx.example ESMTP Model\r\n',
  ehlo: '250-mx.example\r\n250-SIZE 1000\r\n250-XCLIENT ADDR\r\n250 8BITMIME\r\n',
  NOOP: '250 2.0.0 Ok\r\n',
  RSET: '502 5.5.1 no\r\n',
  QUIT: '221 2.0.0 Bye\r\n',
};
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

class Rig {
  readonly reasons: LiveReason[] = [];
  readonly learnt = new LearntReplies((reason) => this.reasons.push(reason));

  check(now: number, changes: Partial<HealthReplies> = {}): this {
    this.learnt.healthChecked({ ...HEALTH, ...changes }, now);
    return this;
  }

  greet(greeting: string, delay: number, now: number, source = '192.0.2.1'): this {
    this.learnt.greeted(replyOf(greeting), delay, now, source);
    return this;
  }

  ehlo(security: 'clear' | 'tls', reply: string, now: number): this {
    this.learnt.ehloAnswered(security, replyOf(reply), now);
    return this;
  }

  greeting(now: number): string | undefined {
    return this.learnt.replies(now)?.greeting.toString();
  }
}

test('a greeting that stays the same is learnt whole, once that could be seen', async (t) => {
  const rig = new Rig().check(0);
  t.equal(rig.greeting(0), undefined, 'one shows nothing');
  t.equal(rig.check(900).greeting(900), undefined, 'nor do two of the same second');
  t.equal(rig.check(2_000).greeting(2_000), '220 mx.example ESMTP\r\n', 'only health checks saw the rest');
  t.equal(rig.greet(HEALTH.greeting, 5, 2_000).greeting(2_000), '220 mx.example ESMTP Model\r\n');
  t.match(rig.learnt.replies(2_000), {
    EHLO: Buffer.from(HEALTH.ehlo),
    HELO: Buffer.from('250 mx.example\r\n'),
    simple: { NOOP: Buffer.from(HEALTH.NOOP), QUIT: Buffer.from(HEALTH.QUIT) },
  });
  t.equal(rig.learnt.replies(2_000)?.simple.RSET, undefined, 'a command that is refused is not answered');
});

test('what a greeting has for one client only is not sent to another', async (t) => {
  const own = '220 mx.example ESMTP hello [192.0.2.1]\r\n';
  const rig = new Rig().greet(own, 5, 0).greet(own, 5, 5_000).ehlo('clear', HEALTH.ehlo, 5_000);
  t.equal(rig.greeting(5_000), '220 mx.example ESMTP\r\n');
  rig.greet(own.replace('2.1', '2.2'), 5, 6_000, '192.0.2.2');
  t.equal(rig.greet(own, 5, 7_000).greeting(7_000), '220 mx.example ESMTP\r\n');
});

test('of a greeting that differs each time, the host name and ESMTP are learnt', async (t) => {
  for (const [first, second, expected] of [
    [
      '220 mx.example ESMTP Exim 1 Jan\r\n',
      '220 mx.example ESMTP Exim 2 Jan\r\n',
      '220 mx.example ESMTP\r\n',
    ],
    ['220-mx.example at 1\r\n220 hi\r\n', '220-mx.example at 2\r\n220 hi\r\n', '220 mx.example\r\n'],
    ['220 mx.example ready 7 (ESMTP)\r\n', '220 mx.example ready 8 (ESMTP)\r\n', '220 mx.example ESMTP\r\n'],
  ] as const) {
    const rig = new Rig().check(0, { greeting: first }).check(100, { greeting: second });
    t.equal(rig.greeting(100), expected);
    t.equal(rig.check(2_000, { greeting: second }).greeting(2_000), expected, 'and it stays so');
    t.same(rig.reasons, []);
  }
});

test('behind the domain, the first line of the reply to EHLO is for one client alone', async (t) => {
  const ehlo = '250-mx.example Hello client.example [192.0.2.1]\r\n250 SIZE 1\r\n';
  const rig = new Rig().check(0, { ehlo }).check(2_000, { ehlo: ehlo.replace('192.0.2.1', '192.0.2.2') });
  t.same(rig.learnt.replies(2_000)?.EHLO, Buffer.from('250-mx.example\r\n250 SIZE 1\r\n'));
  const alone = new Rig()
    .check(0, { ehlo: '250 mx.example hi\r\n' })
    .check(2_000, { ehlo: '250 mx.example ho\r\n' });
  t.same(alone.learnt.replies(2_000)?.EHLO, Buffer.from('250 mx.example\r\n'));
});

test('it lives for ten minutes after the last session or check that showed the same', async (t) => {
  const rig = new Rig().check(0).check(2_000);
  t.ok(rig.greeting(9 * MINUTE_MS));
  rig.greet(HEALTH.greeting, 5, 9 * MINUTE_MS);
  t.ok(rig.greeting(18 * MINUTE_MS));
  t.notOk(rig.greeting(19 * MINUTE_MS));
  t.ok(rig.check(20 * MINUTE_MS).greeting(20 * MINUTE_MS));
});

test('a change is learnt anew, and a second one within a day ends learning for an hour', async (t) => {
  for (const changed of [
    { ehlo: '250-mx.example\r\n250 SIZE 1000\r\n' },
    { greeting: '220 other.example ESMTP\r\n' },
  ] satisfies Partial<HealthReplies>[]) {
    const rig = new Rig().check(0).check(2_000).check(4_000, changed);
    t.equal(rig.greeting(4_000), undefined);
    rig.check(6_000, changed).check(8_000, changed);
    t.ok(rig.greeting(8_000), 'the new one');
    rig.check(10_000).check(12_000).check(14_000);
    t.same(rig.reasons, ['replies_vary']);
    t.equal(rig.greeting(14_000), undefined);
    rig.check(10_000 + 61 * MINUTE_MS).check(12_000 + 61 * MINUTE_MS);
    t.ok(rig.greeting(12_000 + 61 * MINUTE_MS), 'an hour later it is tried again');
    const rare = new Rig().check(0).check(2_000).check(4_000, changed).check(6_000, changed);
    rare
      .check(DAY_MS + 4_000)
      .check(DAY_MS + 6_000)
      .check(DAY_MS + 8_000);
    t.same(rare.reasons, [], 'a backend may be set up anew');
    t.ok(rare.greeting(DAY_MS + 8_000));
  }
});

test('what the backend offers inside TLS is compared with itself alone', async (t) => {
  const inTls = '250-mx.example\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n';
  const rig = new Rig().check(0).check(2_000).ehlo('tls', inTls, 3_000).ehlo('tls', inTls, 4_000);
  t.ok(rig.greeting(4_000));
  t.same(rig.learnt.replies(4_000)?.EHLO, Buffer.from(HEALTH.ehlo));
  rig.ehlo('tls', '250-mx.example\r\n250 SIZE 1\r\n', 5_000);
  t.equal(rig.greeting(5_000), undefined, 'a change inside TLS may be one in clear');
});

test('a backend that refuses sessions or names is not learnt for an hour', async (t) => {
  for (const [refuse, reason] of [
    [(rig) => rig.greet('421 4.3.2 busy\r\n', 5, 3_000), 'greeting_refused'],
    [(rig) => rig.greet('554 5.7.1 no\r\n', 5, 3_000), 'greeting_refused'],
    [(rig) => rig.ehlo('clear', '550 5.7.1 who?\r\n', 3_000), 'ehlo_refused'],
  ] satisfies [(rig: Rig) => Rig, LiveReason][]) {
    const rig = refuse(new Rig().check(0).check(2_000));
    t.same(rig.reasons, [reason]);
    rig.check(4_000).check(6_000);
    t.equal(rig.greeting(6_000), undefined);
    t.same(rig.reasons, [reason], 'told once');
  }
  const leaving = new Rig().check(0).check(2_000).ehlo('clear', '421 4.3.2 shutting down\r\n', 3_000);
  t.same(
    [leaving.reasons, leaving.greeting(3_000)],
    [[], undefined],
    'a backend that shuts down is forgotten',
  );
});

test('a backend that delays its greeting is not learnt', async (t) => {
  const teaser = '220-mx.example ESMTP\r\n220 mx.example ESMTP\r\n';
  t.same(new Rig().greet(teaser, 6_000, 0).reasons, ['greeting_delayed'], 'postscreen');
  const tarpit = new Rig().greet(HEALTH.greeting, 2_000, 0).greet(HEALTH.greeting, 2_000, 10);
  t.same(tarpit.check(20).reasons, [], 'a name lookup may be slow');
  t.same(tarpit.greet(HEALTH.greeting, 2_000, 30).reasons, ['greeting_delayed']);
  const slow = new Rig().greet(HEALTH.greeting, 2_000, 0).greet(HEALTH.greeting, 5, 10);
  t.same(slow.greet(HEALTH.greeting, 2_000, 20).greet(HEALTH.greeting, 2_000, 30).reasons, []);
});

test('a reply to EHLO without bounds is not kept, and what failed is forgotten', async (t) => {
  const ehlo = `250-mx.example\r\n${'250-X-LONG 0123456789\r\n'.repeat(500)}250 OK\r\n`;
  t.equal(new Rig().check(0, { ehlo }).check(2_000, { ehlo }).greeting(2_000), undefined);
  const greeting = `${'220-mx.example 0123456789\r\n'.repeat(500)}220 mx.example\r\n`;
  t.equal(new Rig().check(0, { greeting }).check(2_000, { greeting }).greeting(2_000), undefined);
  const rig = new Rig().check(0).check(2_000);
  rig.learnt.forget();
  t.equal(rig.greeting(2_000), undefined);
});
