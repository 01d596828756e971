/** PROXY headers of load balancers, as they come on real sockets: in pieces, late, broken, or from somebody else. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type Test } from 'tap';
import { encodeProxyV1 } from '../../src/proxy-protocol/v1.js';
import { encodeProxyV2 } from '../../src/proxy-protocol/v2.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

const CLIENT = {
  command: 'PROXY',
  source: { address: '192.0.2.7', port: 40_000 },
  destination: { address: '198.51.100.1', port: 25 },
} as const;

async function start(
  t: Test,
  networks: readonly string[],
  limits: Table = {},
  workers = 1,
): Promise<Program> {
  const sink = await startTestSink();
  const program = await startProgram(
    proxyConfig({
      server: { workers },
      listeners: [{ 'proxy-protocol': networks }],
      backend: { address: sink.port },
      limits,
    }),
    1,
  );
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  return program;
}

function dial(program: Program): Socket {
  return connect({ port: program.ports.get('mx')!, host: '127.0.0.1', noDelay: true }).on(
    'error',
    () => undefined,
  );
}

/** Everything that comes until it closes, or until there is a greeting, which is answered with QUIT. */
async function answer(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    const greeted = text.includes('\r\n');
    text += chunk.toString('latin1');
    if (!greeted && /^220 .*\r\n/.test(text)) socket.write('QUIT\r\n');
  });
  await once(socket, 'close');
  return text;
}

for (const workers of [1, 2]) {
  test(`a header is believed in one piece, byte by byte, and with SMTP right behind it; workers: ${workers}`, async (t) => {
    const program = await start(t, ['127.0.0.0/8'], {}, workers);
    for (const header of [encodeProxyV1(CLIENT), encodeProxyV2(CLIENT, { uniqueId: 'lb-1' })]) {
      const whole = dial(program);
      whole.write(header);
      t.match(await answer(whole), /^220 /);
      t.match(await program.nextConnection(), { client: { address: '192.0.2.7', port: 40_000 } });

      const dripping = dial(program);
      for (const byte of header) {
        dripping.write(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
      t.match(await answer(dripping), /^220 /);
      t.match(await program.nextConnection(), { client: { address: '192.0.2.7', port: 40_000 } });

      const hasty = dial(program);
      hasty.write(Buffer.concat([header, Buffer.from('QUIT\r\n')]));
      let text = '';
      hasty.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      await once(hasty, 'close');
      t.match(text, /^220 [^\r]*\r\n221 [^\r]*\r\n$/, 'what came behind it is SMTP');
      t.match(await program.nextConnection(), { client: { address: '192.0.2.7' } });
    }
  });
}

test('LOCAL and UNKNOWN speak for nobody: the connection itself counts', async (t) => {
  const program = await start(t, ['127.0.0.0/8']);
  for (const header of [encodeProxyV2({ command: 'LOCAL' }), Buffer.from('PROXY UNKNOWN\r\n')]) {
    const socket = dial(program);
    socket.write(header);
    t.match(await answer(socket), /^220 /);
    t.match(await program.nextConnection(), { client: { address: '127.0.0.1' } });
  }
});

test('what is not the header that was promised is closed without a word, and logged', async (t) => {
  const program = await start(t, ['127.0.0.0/8']);
  const damaged = encodeProxyV2(CLIENT);
  damaged[17]! ^= 1;
  for (const [bytes, reason] of [
    [Buffer.from('EHLO client.example\r\n'), /no PROXY header/],
    [damaged, /checksum/],
    [Buffer.from('0d0a0d0a000d0a515549540a2111ffff', 'hex'), /too many/],
    [Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), /too long/],
  ] as const) {
    const socket = dial(program);
    socket.write(bytes);
    t.equal(await answer(socket), '');
    t.match(await program.nextConnection(), { outcome: 'bad_proxy_header', reason });
  }
});

test('a header that does not come, or not to its end, has its time', async (t) => {
  const program = await start(t, ['127.0.0.0/8'], { 'proxy-header-timeout': '300ms' });
  for (const part of [
    Buffer.alloc(0),
    Buffer.from('PROXY TCP4 192.0'),
    encodeProxyV2(CLIENT).subarray(0, 20),
  ]) {
    const socket = dial(program);
    if (part.length > 0) socket.write(part);
    t.equal(await answer(socket), '');
    t.match(await program.nextConnection(), { outcome: 'bad_proxy_header', reason: /in time/ });
  }
});

test('a client that is no configured load balancer is refused, with or without a header', async (t) => {
  const program = await start(t, ['192.0.2.0/24']);
  const socket = dial(program);
  socket.write(encodeProxyV1(CLIENT));
  t.equal(await answer(socket), '');
  t.match(await program.nextConnection(), {
    outcome: 'bad_proxy_header',
    reason: 'not from a configured load balancer',
    client: { address: '127.0.0.1' },
  });
});

test('where no load balancer is configured, a header is not looked for', async (t) => {
  const program = await start(t, []);
  const socket = dial(program);
  socket.write(encodeProxyV1(CLIENT));
  t.match(
    await answer(socket),
    /^220 [^\r]*\r\n550 5\.7\.0 [^\r]*this command is for trusted proxies only/,
    'it is a command like any other',
  );
  t.match(await program.nextConnection(), { client: { address: '127.0.0.1' } });
});
