/** Reloads that meet something else: a stop, or a health check of the configuration before. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test, type Test } from 'tap';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { createLogChannel } from '../../src/observe/log.js';
import { systemAddressBook } from '../../src/proxy/backend/address-book.js';
import { ConfigSnapshot } from '../../src/proxy/config-snapshot.js';
import { localSessions } from '../../src/proxy/resumption/session-store.js';
import { SessionTickets } from '../../src/proxy/resumption/session-tickets.js';
import { SharedSessions } from '../../src/proxy/resumption/shared-sessions.js';
import { ProxyServer } from '../../src/proxy/server.js';
import { SmallDhSearch } from '../../src/proxy/small-dh-search.js';
import { WorkerPool } from '../../src/proxy/workers/worker-pool.js';
import { DhGroup, SessionCache } from '../../src/tls/index.js';
import { proxyConfig, type ProxyConfig } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';

/** @param folder where the certificate is kept */
function configOf(folder: string, { server, ...parts }: ProxyConfig): Config {
  const toml = proxyConfig({ ...parts, server: { ...server, 'state-directory': folder } });
  return parseConfig(toml, '/etc/f.toml');
}

async function listen(t: Test, connected: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => connected(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

test('a reload that is not complete when oldhello stops opens no port, and the stop does not wait for it', async (t) => {
  const events: string[] = [];
  const channel = createLogChannel(({ event }) => events.push(event));
  const folder = t.testdir();
  const port = await freePort();
  const server = new ProxyServer(channel, []);
  await server.start(configOf(folder, {}));
  const before = events.length;
  const reload = server.configure(
    configOf(folder, { listeners: [{ name: 'other', address: `127.0.0.1:${port}` }] }),
  );
  await server.stop();
  await reload;
  t.same(events.slice(before), [], 'the log has nothing of the new configuration');
  await t.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

test('worker processes that were ended are not started again by a reload', async (t) => {
  const channel = createLogChannel();
  const cache = new SessionCache(1, 1, () => 0);
  const sessions = new SharedSessions(channel.log, localSessions(cache), 1_000);
  const pool = new WorkerPool({ channel, sessions });
  await pool.close(0);
  const config = configOf(t.testdir(), { server: { workers: 2 } });
  const inputs = { config, credentials: [], trustedCas: {}, networkFiles: {}, smallDhGroup: undefined };
  const used = pool.configure(
    new ConfigSnapshot(inputs, new SessionTickets(), systemAddressBook(), channel.log),
  );
  const children = process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap');
  t.same(children, []);
  await used;
});

/** Greets as `name`, the first connection only when `greet` is called. */
async function slowBackend(t: Test, name: string) {
  let asked: (() => void) | undefined;
  let ended: () => void = () => undefined;
  const first = { asked: new Promise<void>((resolve) => (asked = resolve)), greet: (): void => undefined };
  const over = new Promise<void>((resolve) => (ended = resolve));
  const port = await listen(t, (socket) => {
    const greet = (): void => void socket.write(`220 ${name} ESMTP\r\n`);
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      if (text.includes('EHLO')) socket.write(`250-${name}\r\n250 8BITMIME\r\n`);
      else if (text.includes('QUIT\r\n')) socket.end('221 bye\r\n');
      else if (/NOOP|RSET/.test(text)) socket.write('250 ok\r\n');
    });
    socket.on('close', () => ended());
    if (asked === undefined) greet();
    else {
      first.greet = greet;
      asked();
      asked = undefined;
    }
  });
  return { port, first, over };
}

test('a health check that began before a reload does not teach what the backend of before replies', async (t) => {
  const folder = t.testdir();
  const [old, other] = [await slowBackend(t, 'old.example'), await slowBackend(t, 'other.example')];
  const server = new ProxyServer(createLogChannel(), []);
  t.teardown(() => server.stop());
  const at = (address: number, interval: string): Config =>
    configOf(folder, {
      backend: { address, 'health-interval': interval, 'first-session': 'learnt' },
      limits: { 'shutdown-timeout': '10ms' },
    });
  await server.start(at(old.port, '1h'));
  await old.first.asked;
  await server.configure(at(other.port, '0'));
  old.first.greet();
  await old.over;
  const client = await SmtpClient.connect(server.listening[0]!.address.port);
  void other.first.asked.then(() => other.first.greet());
  t.match(await client.reply(), /^220 other\.example/);
  t.match(await client.command('QUIT'), /^221/);
  await client.gone;
});

test('reloads while the 1024-bit group is searched begin no further search', async (t) => {
  const searches: (() => void)[] = [];
  let found = 0;
  const search = new SmallDhSearch(
    createLogChannel().log,
    () => (found += 1),
    () => new Promise((resolve) => searches.push(() => resolve(new DhGroup(Buffer.from([23]))))),
  );
  const running = [search.start('/state'), search.start('/state')];
  t.equal(searches.length, 1);
  searches[0]!();
  await Promise.all(running);
  t.equal(found, 1);
  void search.start('/state');
  t.equal(searches.length, 2, 'a later one is possible, after a failure for example');
});
