/** Whether a client has its reply, from bytes that may be cut anywhere. */
import { test } from 'tap';
import { ReplyTracker } from '../../../src/proxy/connection/reply-tracker.js';
import { cuts } from '../../support/gate-rig.js';

for (const reply of [
  '250 ok\r\n',
  '250\r\n',
  '250-a\r\n250 b\r\n',
  '221 2.0.0 bye\r\n',
  '554-a\r\n554\r\n',
]) {
  test(`${JSON.stringify(reply)} answers the client in however many pieces it comes, and only when it is whole`, async (t) => {
    for (const pieces of cuts(reply)) {
      const tracker = new ReplyTracker();
      tracker.toBackend();
      let sent = '';
      for (const piece of pieces) {
        if (piece === '') continue;
        t.equal(tracker.answered, false, JSON.stringify(pieces));
        tracker.toClient(Buffer.from(piece));
        sent += piece;
      }
      t.equal(sent, reply);
      t.equal(tracker.answered, true, JSON.stringify(pieces));
      t.equal(tracker.backendCloses, reply.startsWith('221'));
      t.equal(tracker.awaitsCommand, reply.startsWith('250'));
    }
  });
}

test('a long line of a reply is no reply of its own, wherever it is cut', async (t) => {
  const tracker = new ReplyTracker();
  tracker.toBackend();
  tracker.toClient(Buffer.from(`250-${'x'.repeat(2000)}`));
  tracker.toClient(Buffer.from('250 x\r\n'));
  t.equal(tracker.answered, false);
  tracker.toClient(Buffer.from('250 ok\r\n'));
  t.equal(tracker.answered, true);
});
