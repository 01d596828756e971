/** Backends are tried without a client: what they see of it, and what is reported when one is down. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type Test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import { watchBackends } from '../../../src/observe/backend-watch.js';
import { createLogChannel } from '../../../src/observe/log.js';
import { systemAddressBook } from '../../../src/proxy/backend/address-book.js';
import { backendPlans } from '../../../src/proxy/backend/backend-plan.js';
import { HealthChecks } from '../../../src/proxy/backend/health.js';
import type { BackendPlan } from '../../../src/proxy/backend/open-session.js';
import { tryBackend, type TrialKind } from '../../../src/proxy/backend/try-backend.js';
import { proxyConfig } from '../../support/proxy-config.js';

function planFor(port: number, keys: Record<string, string>): BackendPlan {
  const config = parseConfig(proxyConfig({ backend: { address: port, ...keys } }), '/etc/f.toml');
  return backendPlans(config, {}, createLogChannel().log, systemAddressBook())[0]!;
}

async function tryAt(
  port: number,
  keys: Record<string, string> = {},
  timeoutMs?: number,
  kind: TrialKind = SMTP,
): Promise<string | undefined> {
  const plan = planFor(port, keys);
  const [target] = await plan.addresses.targets(plan.config);
  return tryBackend(plan, target!, kind, undefined, timeoutMs);
}

async function serve(t: Test, connected: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // What is left unread would make the system send a reset in place of the end.
    socket.resume();
    connected(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const SMTP = { implicit: false, smtp: true };

for (const [identity, header] of [
  ['proxy-v2', /^\r\n\r\n\0\r\nQUIT\n\x20/],
  ['proxy-v1', /^PROXY UNKNOWN\r\n/],
  ['xclient', /^QUIT\r\n$/],
] as const) {
  test(`with ${identity} a backend that greets is up, gets no address of a client, and is left with QUIT`, async (t) => {
    const chunks: Buffer[] = [];
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (ended = resolve));
    const port = await serve(t, (socket) => {
      socket.write('220 mail.example ESMTP\r\n');
      socket.on('data', (bytes) => chunks.push(bytes));
      socket.on('end', () => {
        socket.end();
        ended();
      });
    });
    t.equal(await tryAt(port, { identity }), undefined);
    await end;
    const seen = Buffer.concat(chunks).toString('latin1');
    t.match(seen, header);
    t.match(seen, /QUIT\r\n$/);
    t.notMatch(seen, /EHLO|XCLIENT/);
  });
}

test('a backend of another protocol is up once it is connected, and gets nothing but the header', async (t) => {
  const seen = new Promise<string>((resolve) => {
    void serve(t, (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (bytes) => chunks.push(bytes));
      socket.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    }).then(async (port) => {
      const kind = { implicit: false, smtp: false };
      t.equal(await tryAt(port, { identity: 'proxy-v1' }, undefined, kind), undefined);
      t.match(await tryAt(1, {}, undefined, kind), /ECONNREFUSED/);
    });
  });
  t.equal(await seen, 'PROXY UNKNOWN\r\n');
});

test('a backend that is closed, silent, refusing or not SMTP is not ready, and the reason is what was seen', async (t) => {
  const refusing = await serve(t, (socket) => socket.end('421 4.3.2 shutting down\r\n'));
  t.equal(await tryAt(refusing), 'it greets with 421 4.3.2 shutting down');
  const closing = await serve(t, (socket) => socket.end());
  t.equal(await tryAt(closing), 'it closes the connection without a greeting');
  const silent = await serve(t, (socket) => socket.resume());
  t.equal(await tryAt(silent, {}, 50), 'no greeting within 0.05 s');
  const web = await serve(t, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n'));
  t.equal(await tryAt(web), 'it sends something that is not SMTP');
  t.match(await tryAt(1), /ECONNREFUSED/);
});

test('a backend that is down is reported once, at the first check, and once when it is back', async (t) => {
  const channel = createLogChannel();
  const events: string[] = [];
  channel.subscribe(({ event, fields }) => {
    if (event === 'backend_down') events.push(`down: ${fields.reason}`);
    if (event === 'backend_up') events.push('up');
  });
  const watch = watchBackends(channel);
  channel.log('listening', { listener: 'mx', address: '::', port: 25, mode: 'starttls', backend: 'mta' });
  const results: (string | undefined)[] = ['refused', 'refused', undefined, undefined, 'silent'];
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  // The timers of health checks do not keep a process.
  const keptAlive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(keptAlive));
  const unready: string[] = [];
  const health = new HealthChecks(channel.log, () => {
    unready.push(watch.unready().join());
    if (results.length === 1) setImmediate(done);
    return Promise.resolve(results.length > 1 ? results.shift() : results[0]);
  });
  health.configure([planFor(1, { 'health-interval': '5ms' })]);
  await all;
  health.close();
  t.same(events, ['down: refused', 'up', 'down: silent']);
  t.same(unready.slice(0, 4), ['', 'mx', 'mx', ''], 'and its listener is not ready meanwhile');
  t.same(watch.unready(), ['mx']);
});

test('with health-interval = "0" a backend is never tried', async (t) => {
  const health = new HealthChecks(createLogChannel().log, () => Promise.reject(new Error('it was tried')));
  health.configure([planFor(1, { 'health-interval': '0' })]);
  health.close();
  t.pass('no rejection');
});
