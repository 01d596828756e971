/** A backend that goes in the middle of a session, and a client that has not noticed yet. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'tap';
import { startProgram } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';

for (const tls of ['none', 'bridge'] as const) {
  test(`a client that says STARTTLS when the backend is gone (tls = "${tls}") is let go, and others are served`, async (t) => {
    const sessions: Socket[] = [];
    const backend = createServer((socket) => {
      sessions.push(socket);
      socket.on('error', () => undefined);
      socket.write('220 mta.example ESMTP\r\n');
      const lines = createInterface({ input: socket, crlfDelay: Infinity }).on('error', () => undefined);
      lines.on('line', (line) => {
        if (line.startsWith('EHLO')) socket.write('250-mta.example\r\n250 STARTTLS\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const program = await startProgram(
      proxyConfig({
        backend: { address: (backend.address() as AddressInfo).port, identity: 'proxy-v1', tls },
      }),
      1,
    );
    const port = program.ports.get('mx')!;
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    client.on('error', () => undefined);
    client.write('EHLO client.example\r\n');
    let text = '';
    while (!/^250 /m.test(text)) text += String(await once(client, 'data'));
    client.resume();
    sessions[0]!.resetAndDestroy();
    await once(client, 'end');
    client.end('STARTTLS\r\n');
    t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'ECONNRESET' });
    const next = connect({ port, host: '127.0.0.1' });
    t.match(String(await once(next, 'data')), /^220 /);
    next.destroy();
    t.equal(await program.stop(), 0);
    backend.close();
  });
}
