/** What the admin listener costs the process when its clients pipeline, ask in a loop, or meet a defect. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'tap';
import { AdminServer, type AdminSources } from '../../src/admin/admin-server.js';

interface Started {
  readonly port: number;
  /** How often the status was made. */
  readonly made: () => number;
}

async function start(status: () => object): Promise<Started> {
  let made = 0;
  const sources = {
    board: {
      status: () => {
        made += 1;
        return status();
      },
    },
    assets: new Map(),
    backends: { unready: () => [] },
  } as unknown as AdminSources;
  const admin = { address: undefined, hostNames: [], acknowledgeExposure: false };
  const server = new AdminServer(admin, sources, 100);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { port, made: () => made };
}

const requestOf = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

/** @returns what comes until the connection is closed */
async function exchange(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined).write(sent);
  await once(socket, 'close');
  return text;
}

/** Takes that many milliseconds of the processor. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test('pipelined requests close the connection, and one answer at most is made for them', async (t) => {
  const { port, made } = await start(() => ({}));
  const text = await exchange(port, requestOf('/status.json').repeat(200));
  t.ok(text.split('HTTP/1.1 200').length <= 2, 'one is answered at most');
  t.ok(made() <= 1, `${made()} were made`);
  await exchange(port, requestOf('/healthz').repeat(200));
  t.match(await exchange(port, requestOf('/healthz', 'Connection: close\r\n')), /^HTTP\/1\.1 200/);
});

test('requests one after the other are answered on one connection', async (t) => {
  const { port } = await start(() => ({ text: 'x'.repeat(4_000_000) }));
  const socket = connect(port, '127.0.0.1');
  for (let round = 0; round < 5; round++) {
    socket.write(requestOf('/status.json'));
    for (let length = 0; length < 4_000_000;) length += ((await once(socket, 'data')) as [Buffer])[0].length;
  }
  socket.destroy();
  t.pass();
});

test('a client that asks in a loop gets the same answer for a while', async (t) => {
  const { port, made } = await start(() => {
    work(50);
    return {};
  });
  const ask = (): Promise<string> => exchange(port, requestOf('/status.json', 'Connection: close\r\n'));
  for (let round = 0; round < 5; round++) t.match(await ask(), /^HTTP\/1\.1 200/);
  await Promise.all([ask(), ask(), ask()]);
  t.ok(made() <= 4, `${made()} were made`);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const before = made();
  await ask();
  t.equal(made(), before + 1, 'and then a new one');
});

test('a defect costs the request, not the process', async (t) => {
  const { port } = await start(() => {
    throw new Error('a defect');
  });
  t.equal(await exchange(port, requestOf('/status.json')), '');
  t.equal(await exchange(port, requestOf('/')), '');
  t.match(await exchange(port, requestOf('/healthz', 'Connection: close\r\n')), /^HTTP\/1\.1 200/);
});
