/** A backend session that is made late: the client has every reply, in order. */
import { test } from 'tap';
import { DeferredBackend } from '../../../src/proxy/backend/deferred-backend.js';
import type { SessionHandler } from '../../../src/proxy/backend/open-session.js';
import { NO_HANDLER } from '../../../src/proxy/transport/channel.js';
import type { SocketChannel } from '../../../src/proxy/transport/socket-channel.js';
import { LearntReplies } from '../../../src/smtp/learnt-replies.js';

const EHLO = '250-mx.example\r\n250 PIPELINING\r\n';
const GREETING = '220 mx.example ESMTP\r\n';

/** A deferred backend whose client has sent EHLO and MAIL, and reads nothing. */
class Rig {
  toClient = '';
  toBackend = '';
  refused = '';
  readonly channel = {
    handler: NO_HANDLER,
    write: (bytes: Uint8Array) => (this.toBackend += Buffer.from(bytes).toString('latin1')),
    pause: () => undefined,
    resume: () => undefined,
    destroy: () => undefined,
  };
  readonly deferred: DeferredBackend;

  constructor(greeting: string) {
    const learnt = new LearntReplies(() => undefined);
    const health = {
      greeting: GREETING,
      ehlo: EHLO,
      NOOP: '250 noop\r\n',
      RSET: '250 rset\r\n',
      QUIT: '221 bye\r\n',
    };
    for (const now of [0, 2_000]) learnt.healthChecked(health, now);
    let session: SessionHandler | undefined;
    const attempt = (handler: SessionHandler): (() => void) => {
      session = handler;
      return () => undefined;
    };
    this.deferred = new DeferredBackend(learnt.replies(2_000)!, attempt, {
      opening: () => undefined,
      ready: () => undefined,
      replied: () => undefined,
      refused: (reply) => (this.refused = this.toClient + reply.toString('latin1')),
      failed: (reason) => (this.refused = reason),
    });
    this.deferred.handler = {
      ...NO_HANDLER,
      data: (bytes) => (this.toClient += bytes.toString('latin1')),
    };
    this.deferred.pause();
    for (const line of ['EHLO a.example\r\n', 'MAIL FROM:<a@b.example>\r\n']) {
      this.deferred.write(Buffer.from(line));
    }
    session!.ready(this.channel as unknown as SocketChannel, Buffer.from(greeting), undefined as never);
  }

  backend(text: string): void {
    this.channel.handler.data(Buffer.from(text));
  }
}

test('a client that does not read while its session is made has the learnt replies before those of the backend', async (t) => {
  const rig = new Rig(GREETING);
  rig.backend(EHLO);
  t.equal(rig.toBackend, 'EHLO a.example\r\nMAIL FROM:<a@b.example>\r\n');
  rig.deferred.resume();
  rig.backend('250 2.1.0 ok\r\n');
  t.equal(rig.toClient, `${EHLO}250 2.1.0 ok\r\n`);
});

test('a refusal by the backend comes behind the learnt replies', async (t) => {
  t.equal(new Rig('554 5.7.1 no\r\n').refused, `${EHLO}554 5.7.1 no\r\n`);
});
