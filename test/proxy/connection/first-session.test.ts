/** What of a session is learnt, and what is not. */
import { test } from 'tap';
import { learnFrom, learntFor } from '../../../src/proxy/connection/first-session.js';
import { LearntReplies } from '../../../src/smtp/learnt-replies.js';
import { replyOf } from '../../../src/smtp/reply.js';

const GREETING = replyOf('220 mx.example\r\n');
const EHLO = replyOf('250-mx.example\r\n250 8BITMIME\r\n');

test('a reply to EHLO is learnt where EHLO is the first command of its session', async (t) => {
  for (const first of [undefined, 'helo', 'other'] as const) {
    const learnt = new LearntReplies(() => undefined);
    // Two greetings that differ are enough to know what is the same in them.
    for (const greeting of [GREETING, replyOf('220 mx.example again\r\n')]) {
      const replied = learnFrom(learnt, 'clear', '192.0.2.1')!;
      replied('greeting', greeting, undefined);
      if (first !== undefined) replied(first, replyOf('250 ok\r\n'), 'c.example');
      replied('ehlo', EHLO, 'c.example');
    }
    t.equal(learntFor({ learnt }, undefined) !== undefined, first === undefined, first ?? 'EHLO');
  }
});
