/** A Unix socket whose backlog is full: Linux refuses there at once what would wait over TCP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { connectSocket } from '../../../src/proxy/transport/socket-channel.js';

test('connections beyond the backlog of a Unix socket are made when the server accepts again', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'oldhello-'));
  const path = join(directory, 'mta.sock');
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  t.teardown(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  await new Promise<void>((resolve) => server.listen({ path, backlog: 1 }, resolve));
  // All in one turn of the event loop, in which this server accepts none.
  const attempts = Array.from({ length: 20 }, () => {
    return new Promise<void>((resolve, reject) => {
      connectSocket(
        { path },
        {
          connected: (channel) => {
            channel.destroy();
            resolve();
          },
          failed: reject,
        },
      );
    });
  });
  await Promise.all(attempts);
  t.equal(attempts.length, 20, 'each one is connected');
});
