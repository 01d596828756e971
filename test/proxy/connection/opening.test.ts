/** A client that waits for its backend session, and does not wait until the end. */
import { Socket } from 'node:net';
import { test } from 'tap';
import type { BackendTarget } from '../../../src/proxy/backend/target.js';
import { Opening, type Attempt, type Opened } from '../../../src/proxy/connection/opening.js';
import { NO_HANDLER, type Channel } from '../../../src/proxy/transport/channel.js';
import { SocketChannel } from '../../../src/proxy/transport/socket-channel.js';

const channel = (): Channel => {
  const ignore = (): void => undefined;
  return { handler: NO_HANDLER, write: ignore, end: ignore, destroy: ignore, pause: ignore, resume: ignore };
};

const TARGET = { address: { host: '192.0.2.1', port: 25 } } as BackendTarget;

/** An opening, what it reported, and the moment at which the backend is ready. */
function begin(replies: 'awaited' | 'optional') {
  const client = channel();
  const reports: string[] = [];
  let opened: Opened | undefined;
  let cancelled = false;
  let ready: (() => void) | undefined;
  const attempt: Attempt = (handler) => {
    ready = () => handler.ready(new SocketChannel(new Socket()), Buffer.alloc(0), TARGET);
    return () => (cancelled = true);
  };
  const opening = new Opening(client, replies, {
    ready: (result) => (opened = result),
    failed: () => reports.push('failed'),
    clientLeft: () => reports.push('left'),
    overflowed: () => reports.push('overflowed'),
    clientClosed: (error) => reports.push(`closed ${error?.message}`),
  });
  opening.begin(Buffer.from('1'), attempt);
  return { client, reports, opening, ready: ready!, opened: () => opened, cancelled: () => cancelled };
}

test('where replies are optional, what came before the end is kept for the backend when the client has gone', async (t) => {
  for (const error of [undefined, new Error('ECONNRESET')]) {
    const { client, reports, ready, opened } = begin('optional');
    client.handler.data(Buffer.from('2'));
    client.handler.end(true);
    client.handler.closed(error);
    t.same(reports, []);
    ready();
    t.match(opened(), { early: Buffer.from('12'), clientState: 'gone' });
  }
});

test('a client that has gone is not closed again', async (t) => {
  const { client, opening, cancelled } = begin('optional');
  t.same(opening.stop(), { client });
  client.handler.end(true);
  client.handler.closed(undefined);
  t.same(opening.stop(), { client: undefined });
  t.ok(cancelled());
});

test('a client that closes without an end is gone with all that it sent, and so is one that awaits replies', async (t) => {
  const cut = begin('optional');
  cut.client.handler.closed(new Error('ECONNRESET'));
  t.same(cut.reports, ['closed ECONNRESET']);
  const smtp = begin('awaited');
  smtp.client.handler.end(true);
  smtp.client.handler.closed(undefined);
  t.same(smtp.reports, ['closed undefined']);
});
