/** Clients that come while the program starts. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'tap';
import { Listener, type ListenerHandler, type ListenerPlan } from '../../../src/proxy/listener/listener.js';

test('before a listener is open, as many clients wait as its backlog has places, and more are closed', async (t) => {
  const plan = {
    config: { proxyProtocol: [] },
    limits: {},
    hostname: 'mx.example',
  } as unknown as ListenerPlan;
  const listener = new Listener(
    { host: '127.0.0.1', port: 0 },
    plan,
    {} as ListenerHandler,
    {} as ConstructorParameters<typeof Listener>[3],
  );
  await listener.listen();
  const { port } = listener.address;
  let closed = 0;
  const sockets = [];
  for (let made = 0; made < 1030; made++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => (closed += 1));
    await once(socket.resume(), 'connect');
    sockets.push(socket);
  }
  for (const deadline = Date.now() + 10_000; closed < 6 && Date.now() < deadline;)
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(closed, 6);
  listener.close();
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  t.equal(closed, 1030);
});
