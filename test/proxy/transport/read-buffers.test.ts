/** What connections hold to read into. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { NO_HANDLER } from '../../../src/proxy/transport/channel.js';
import { acceptHandles, type HandleChannel } from '../../../src/proxy/transport/handle-channel.js';

setFlagsFromString('--expose-gc');
// Else they are counted until a thread has freed them.
setFlagsFromString('--no-concurrent-array-buffer-sweeping');
const collect = runInNewContext('gc') as () => void;

/** Of whom each sends so much at a time that it is worth a buffer of its own, and is silent then. */
const CLIENTS = 300;
const MUCH = Buffer.alloc(60_000);

test('many of whom much has come, and who are silent now, hold little', async (t) => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const channels: HandleChannel[] = [];
  const peers: Socket[] = [];
  let received = 0;
  let came: () => void = () => undefined;
  acceptHandles(server, (channel) => {
    channels.push(channel);
    channel.handler = {
      ...NO_HANDLER,
      data: ({ length }) => {
        received += length;
        came();
      },
    };
    channel.resume();
  });
  t.teardown(() => {
    server.close();
    for (const peer of peers) peer.destroy();
  });
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (let client = 1; client <= CLIENTS; client += 1) {
    const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    peers.push(peer);
    peer.write(MUCH);
    while (received < client * MUCH.length) {
      await new Promise<void>((resolve) => {
        came = resolve;
      });
    }
  }
  collect();
  const held = process.memoryUsage().arrayBuffers - before;
  t.ok(held < 6_000_000, `${held} bytes`);
  for (const channel of channels) channel.destroy();
});
