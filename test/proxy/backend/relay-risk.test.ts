/** Backend names that resolve to private addresses: checked at the start and for every connection. */
import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
import { test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import type { SocketChannel } from '../../../src/proxy/transport/socket-channel.js';
import { isRelayRisk, refuseRelayRisks } from '../../../src/proxy/backend/relay-risk.js';
import { refusedStart } from '../../support/program.js';
import { proxyConfig, type Table } from '../../support/proxy-config.js';

const toml = (host: string, backend: Table = {}): string =>
  proxyConfig({ backend: { address: `${host}:25`, identity: 'none', ...backend } });

const config = (backend: Table = {}): ReturnType<typeof parseConfig> =>
  parseConfig(toml('mta.example', backend), 'oldhello.toml');

test('a name that leads to loopback, a private address or this machine is refused with its place', async (t) => {
  const [own] = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  for (const address of ['127.0.0.1', '10.0.0.9', '::1', 'fd00::25', own!.address]) {
    const resolve = (): Promise<string[]> => Promise.resolve(['203.0.113.5', address]);
    const refused = await refuseRelayRisks(config(), resolve).catch((error: unknown) => error);
    t.match(refused, { problems: [{ key: 'backend[0].identity', message: /an open relay/ }] }, address);
  }
});

test('a name that leads elsewhere, or nowhere yet, or a risk that was acknowledged is not', async (t) => {
  await refuseRelayRisks(config(), () => Promise.resolve(['203.0.113.5']));
  await refuseRelayRisks(config(), () => Promise.resolve([]));
  await refuseRelayRisks(config({ 'acknowledge-relay-risk': true }), () => Promise.resolve(['127.0.0.1']));
  t.pass('none of them is refused');
});

const ends = (local: string, remote: string): Pick<SocketChannel, 'local' | 'remote'> => ({
  local: { address: local, port: 40_000 },
  remote: { address: remote, port: 25 },
});

test('a name that later resolves to a private address is refused when a connection is made', async (t) => {
  const [backend] = config().backends;
  t.equal(isRelayRisk(backend!, ends('203.0.113.9', '203.0.113.5')), false);
  t.equal(isRelayRisk(backend!, ends('203.0.113.9', '203.0.113.9')), true, 'this machine');
  t.equal(isRelayRisk(backend!, ends('127.0.0.1', '127.0.0.1')), true);
  t.equal(isRelayRisk({ ...backend!, identity: 'proxy-v2' }, ends('127.0.0.1', '127.0.0.1')), false);
});

test('the program does not start with a backend whose name is that of its own machine', async (t) => {
  const named = await lookup(hostname()).then(
    () => [hostname()],
    () => [],
  );
  for (const host of ['LOCALHOST', ...named]) {
    t.match(
      await refusedStart(toml(host)),
      /ended with (?:code )?2: .*oldhello\.toml:11: backend\[0\]\.identity: .*an open relay/,
      host,
    );
  }
  if (named.length === 0) t.comment(`the name of this machine, ${hostname()}, does not resolve: not tried`);
});
