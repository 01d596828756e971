/** A backend that goes in the middle of a session, and a client that has not noticed yet. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'tap';
import { startProgram } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';

for (const tls of ['none', 'bridge'] as const) {
  test(`a client that sends STARTTLS when the backend is gone (tls = "${tls}") is disconnected, and others are served`, async (t) => {
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

test('a backend that closes between two commands, without 421, is logged as such, and the client gets 421', async (t) => {
  const backend = createServer((socket) => {
    socket.on('error', () => undefined).write('220 mta.example ESMTP\r\n');
    const lines = createInterface({ input: socket, crlfDelay: Infinity }).on('error', () => undefined);
    lines.on('line', (line) => {
      if (line.startsWith('PROXY')) return;
      if (line === 'NOOP') socket.end('250 closes\r\n');
      else socket.write('250 ok\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port: address } = backend.address() as AddressInfo;
  const program = await startProgram(proxyConfig({ backend: { address, identity: 'proxy-v1' } }), 1);
  const gone = { outcome: 'backend_failed', reason: 'backend_left', fault: 'backend' };
  for (const commands of [
    [],
    ['EHLO client.example'],
    ['EHLO client.example', 'MAIL FROM:<a@b.example>', 'RSET'],
  ]) {
    for (const tls of [false, true]) {
      const client = await SmtpClient.connect(program.ports.get('mx')!);
      await client.reply();
      if (tls) {
        await client.command('EHLO client.example');
        await client.command('STARTTLS');
        await client.secureLikeOld({});
      }
      for (const command of commands) t.match(await client.command(command), /^250/);
      t.match(await client.command('NOOP'), /^250 closes/);
      t.match(await client.reply(), /^421 /);
      t.match(await program.nextConnection(), gone, `${tls ? 'TLS' : 'clear'}, after ${commands.join(', ')}`);
    }
  }
  t.equal(await program.stop(), 0);
  backend.close();
});
