/** `oldhello check` ends on a backend that accepts the connection and sends nothing, however far the session is. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { checkDeliveryPath } from '../../src/check/backend.js';
import { deliveryPathsTo } from '../../src/check/delivery-paths.js';
import { parseConfig } from '../../src/config/load.js';
import { createLogChannel } from '../../src/observe/log.js';
import { systemAddressBook } from '../../src/proxy/backend/address-book.js';
import { backendPlans } from '../../src/proxy/backend/backend-plan.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

const TIMEOUT_MS = 100;
const NONE = { identity: 'none', 'acknowledge-relay-risk': true };

interface Setting {
  readonly backend: Table;
  readonly mode?: 'starttls' | 'implicit' | 'tcp';
  /** Whether the backend replies until TLS begins. */
  readonly speaks?: boolean;
}

/** `verdict check: message; advice` of each finding that is not good; resolves when the backend's sockets have closed. */
async function check(t: Test, { backend, mode = 'starttls', speaks = false }: Setting): Promise<string[]> {
  const closed: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    closed.push(once(socket, 'close'));
    socket.on('error', () => undefined).resume();
    if (speaks) speakUntilTls(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const config = parseConfig(
    proxyConfig({ listeners: [{ mode }], backend: { address: port, ...backend } }),
    join(t.testdir(), 'oldhello.toml'),
  );
  const [plan] = backendPlans(config, {}, createLogChannel().log, systemAddressBook());
  const [target] = await plan!.addresses.targets(plan!.config);
  const path = deliveryPathsTo(plan!.config, config).at(-1)!;
  const findings = await checkDeliveryPath(plan!, target!, path, TIMEOUT_MS);
  await Promise.all(closed);
  return findings
    .filter(({ verdict }) => verdict !== 'good')
    .map((one) => [`${one.verdict} ${one.check}: ${one.message}`, ...one.advice].join('; '));
}

function speakUntilTls(socket: Socket): void {
  socket.write('220 mta.example ESMTP\r\n');
  socket.on('data', (bytes) => {
    const text = bytes.toString('latin1');
    if (text.includes('EHLO')) socket.write('250-mta.example\r\n250 STARTTLS\r\n');
    else if (text.includes('STARTTLS')) socket.write('220 go ahead\r\n');
    else if (text.includes('MAIL') || text.includes('RSET')) socket.write('550 no\r\n');
  });
}

for (const [backend, mode] of [
  [{ identity: 'xclient' }, 'starttls'],
  [NONE, 'starttls'],
  [{ identity: 'xclient', tls: 'starttls' }, 'starttls'],
  [{ identity: 'xclient', tls: 'implicit' }, 'implicit'],
  [{ ...NONE, tls: 'implicit' }, 'implicit'],
] as const) {
  test(`silence before a greeting is found, with ${JSON.stringify(backend)}`, async (t) => {
    const [first, ...others] = await check(t, { backend, mode });
    t.match(first, /^bad connection: .*the session is not ready within 0\.1 s; .*proxy-v2/);
    t.match(first, 'tls = "implicit"');
    t.match(others, [/^unknown identity/, /^unknown relay/]);
  });
}

test('silence after a PROXY header is found where TLS comes before the greeting', async (t) => {
  for (const tls of ['starttls', 'implicit']) {
    const [first] = await check(t, { backend: { tls }, mode: tls as 'starttls' });
    t.match(first, /^bad connection: .* within 0\.1 s; .*smtpd_upstream_proxy_protocol = haproxy/);
  }
  const tcp = await check(t, { backend: { tls: 'implicit' }, mode: 'tcp' });
  t.match(tcp, [/^bad connection: .* within 0\.1 s/]);
});

test('silence instead of a TLS handshake is found', async (t) => {
  const own = await check(t, { backend: { tls: 'starttls' }, speaks: true });
  t.match(own[0], /^bad connection: .* within 0\.1 s/);
  const bridged = await check(t, { backend: { tls: 'bridge' }, speaks: true });
  const tls = bridged.filter((finding) => finding.startsWith('bad'));
  t.match(tls, [/^bad tls: .*it does not finish the TLS handshake within 0\.1 s; Postfix: /]);
});
