/** `oldhello check` with backends of another protocol, behind mode = "tcp". */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { systemAddressBook } from '../../src/proxy/backend/address-book.js';
import { backendPlans } from '../../src/proxy/backend/backend-plan.js';
import { checkDeliveryPath } from '../../src/check/backend.js';
import { deliveryPathsTo } from '../../src/check/delivery-paths.js';
import { parseConfig } from '../../src/config/load.js';
import { createLogChannel } from '../../src/observe/log.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

/** `verdict check: message; advice` of each finding. @param serve what the backend does with a connection */
async function check(t: Test, serve: (socket: Socket) => void, backend: Table = {}): Promise<string[]> {
  const server = createServer((socket) => serve(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const config = parseConfig(
    proxyConfig({ listeners: [{ mode: 'tcp' }], backend: { address: port, ...backend } }),
    join(t.testdir(), 'oldhello.toml'),
  );
  const [plan] = backendPlans(config, {}, createLogChannel().log, systemAddressBook());
  const [path, ...others] = deliveryPathsTo(plan!.config, config);
  t.same(others, [], 'SMTP is not tried');
  const [target] = await plan!.addresses.targets(plan!.config);
  const findings = await checkDeliveryPath(plan!, target!, path!, 5_000);
  return findings.map((one) => [`${one.verdict} ${one.check}: ${one.message}`, ...one.advice].join('; '));
}

test('a backend that greets, or waits for its client, is good', async (t) => {
  const greet = (socket: Socket): void => void socket.once('data', () => socket.write('* OK hello\r\nmore'));
  t.match(await check(t, greet), [
    /^good connection: it begins with "\* OK hello"/,
    /^unknown observed: .*192\.0\.2\.25/,
  ]);
  t.match(await check(t, (socket) => socket.resume()), [
    /^good connection: it waits for its client/,
    /^unknown observed/,
  ]);
});

test('a backend that closes does not expect what it is sent, or expects a header', async (t) => {
  const end = (socket: Socket): void => void socket.once('data', () => socket.end());
  t.match(await check(t, end), [
    /^bad connection: it closes the connection after the client's address was given by proxy-v2.*haproxy_trusted_networks/,
  ]);
  const none = { identity: 'none', 'acknowledge-relay-risk': true };
  t.match(await check(t, (socket) => socket.end(), none), [
    /^bad connection: .* may wait for a PROXY header; .*"proxy-v2"/,
  ]);
});
