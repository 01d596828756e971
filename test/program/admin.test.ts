/** The admin listener of the running program: what it answers, whom it refuses, and what its metrics count. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test, type Test } from 'tap';
import type { Status } from '../../src/observe/status/status-shape.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { refusedStart, startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

async function startWithAdmin(
  t: Test,
  admin: Table = {},
): Promise<{ program: Program; port: number; stopBackend: () => void }> {
  const sink = await startTestSink();
  const program = await startProgram(
    proxyConfig({
      backend: { address: sink.port },
      tls: { profile: 'ancient' },
      admin: { address: '127.0.0.1:0', ...admin },
    }),
    1,
  );
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  const listening = program.log.find(({ event }) => event === 'admin_listening');
  return { program, port: listening!['port'] as number, stopBackend: () => sink.close() };
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(
  port: number,
  path: string,
  { method = 'GET', host = `127.0.0.1:${port}` } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, headers: { host }, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      },
    );
    asked.on('error', reject).end();
  });
}

/** A session in clear that says who it is and leaves. */
async function visit(program: Program, helo: string): Promise<void> {
  const socket = connect({ port: program.ports.get('mx')!, host: '127.0.0.1' });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  for (const command of ['', `HELO ${helo}`, 'QUIT']) {
    if (command !== '') socket.write(`${command}\r\n`);
    await lines.next();
  }
  socket.destroy();
  await program.nextConnection();
}

test('the admin listener serves the counts of connections in Prometheus format and JSON', async (t) => {
  const { program, port } = await startWithAdmin(t);
  await visit(program, 'old.example');
  const { status, headers, body } = await ask(port, '/metrics');
  t.equal(status, 200);
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.match(body, /^oldhello_connections_total\{listener="mx",outcome="plaintext"\} 1$/m);
  t.match(body, /^oldhello_backend_up\{backend="mta",address="127\.0\.0\.1:\d+"\} 1$/m);
  t.match(body, /^oldhello_connections_max 2000$/m);
  t.match(
    body,
    /^oldhello_certificate_not_after_timestamp_seconds\{source="[^"]*self-signed\.crt",use="all"\} \d{10}$/m,
  );
  t.match(body, /^process_resident_memory_bytes \d+$/m);
  const shown = JSON.parse((await ask(port, '/status.json')).body) as Status;
  t.match(shown.listeners, [{ name: 'mx', mode: 'starttls', connections: 1, live: 0 }]);
  t.match(shown.backends, [{ name: 'mta', up: true, connections: 1 }]);
  t.equal((await ask(port, '/healthz')).body, 'ok\n');
});

test('promtool finds nothing to complain of in the metrics', async (t) => {
  const found = spawnSync('promtool', ['--version']).error === undefined;
  if (!hasPeer(t, 'promtool', found ? undefined : 'needs promtool (Debian package prometheus)')) return;
  const { program, port } = await startWithAdmin(t);
  await visit(program, 'old.example');
  const { body } = await ask(port, '/metrics');
  const ours = body.split('\n').filter((line) => line.includes('oldhello_'));
  const checked = spawnSync('promtool', ['check', 'metrics'], {
    input: `${ours.join('\n')}\n`,
    encoding: 'utf8',
  });
  t.equal(checked.stdout + checked.stderr, '');
  t.equal(checked.status, 0);
});

test('it answers GET and HEAD only, under its own names only', async (t) => {
  const { port } = await startWithAdmin(t, { 'host-names': ['Status.Example'] });
  for (const [path, options, expected] of [
    ['/', {}, 200],
    ['/', { method: 'HEAD' }, 200],
    ['/', { method: 'POST' }, 405],
    ['/metrics', { method: 'DELETE' }, 405],
    ['/', { host: 'evil.example' }, 421],
    ['/status.json', { host: `evil.example:${port}` }, 421],
    ['/status.json', { host: '127.0.0.1.evil.example' }, 421],
    ['/', { host: 'localhost' }, 200],
    ['/', { host: '[::1]:9125' }, 200],
    ['/', { host: 'status.example:9125' }, 200],
    ['/nothing', {}, 404],
    ['/page/../../../package.json', {}, 404],
    ['/page/style.css', {}, 200],
  ] as const) {
    const { status, headers, body } = await ask(port, path, options);
    t.equal(status, expected, `${JSON.stringify(options)} ${path}`);
    t.match(headers['content-security-policy'], /default-src 'none'; script-src 'self'/);
    if ('method' in options && options.method === 'HEAD') t.equal(body, '');
  }
});

test('an address that others can reach must be acknowledged', async (t) => {
  t.match(
    await refusedStart(proxyConfig({ admin: { address: '0.0.0.0:0' } })),
    /admin\.address: 0\.0\.0\.0 is not a loopback address.*acknowledge-exposure = true/,
  );
});

test('clients that are slow or silent do not keep a health check out', async (t) => {
  const { port } = await startWithAdmin(t);
  const slow = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'));
  t.teardown(() => slow.forEach((socket) => socket.destroy()));
  let closed = 0;
  const evicted = new Promise<void>((resolve) => {
    for (const socket of slow) {
      socket
        .on('error', () => undefined)
        .on('close', () => {
          if (++closed === 80) resolve();
        });
    }
  });
  for (const [index, socket] of slow.entries()) {
    await once(socket, 'connect');
    // One in three never sends a byte, one sends half a request, one asks and does not read.
    if (index % 3 === 1) socket.write('GET /healthz HTTP/1.1\r\nHost: local');
    if (index % 3 !== 2) socket.resume();
    else socket.write('GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n');
  }
  t.match(await ask(port, '/healthz'), { status: 200, body: 'ok\n' });
  await evicted;
  t.pass('the oldest of them are closed');
});

test('a client that does not finish its request header is closed after seconds', async (t) => {
  const { port } = await startWithAdmin(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  t.match(first.toString(), /^HTTP\/1\.1 408 /);
});

test('/readyz is 503 while the backend of a listener is down, and /healthz stays 200', async (t) => {
  const { program, port, stopBackend } = await startWithAdmin(t);
  t.equal((await ask(port, '/readyz')).status, 200);
  stopBackend();
  for (let failed = 0; failed < 3; failed += 1) {
    const socket = connect(program.ports.get('mx')!, '127.0.0.1');
    await once(socket.resume(), 'close');
    await program.nextConnection();
  }
  t.match(await ask(port, '/readyz'), { status: 503, body: 'no backend is up for mx\n' });
  t.equal((await ask(port, '/healthz')).status, 200);
});
