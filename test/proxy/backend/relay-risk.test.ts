/** Names that lead nearby: what the file does not show, the start and every connection do. */
import { hostname, networkInterfaces } from 'node:os';
import { test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import type { SocketChannel } from '../../../src/proxy/transport/socket-channel.js';
import { leadsNearby, refuseRelayRisks } from '../../../src/proxy/backend/relay-risk.js';
import { startProgram } from '../../support/program.js';

const TOML = `
[server]
state-directory = "STATE"
[[listener]]
name = "mx"
address = "127.0.0.1:0"
mode = "starttls"
backend = "mta"
[[backend]]
name = "mta"
address = "HOST:25"
identity = "none"
`;

const config = (more = ''): ReturnType<typeof parseConfig> =>
  parseConfig(TOML.replace('HOST', 'mta.example') + more, 'oldhello.toml');

test('a name that leads to loopback, a private address or this machine is refused with its place', async (t) => {
  const [own] = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  for (const address of ['127.0.0.1', '10.0.0.9', '::1', 'fd00::25', own!.address]) {
    const refused = refuseRelayRisks(config(), () => Promise.resolve(['203.0.113.5', address]));
    await t.rejects(
      refused,
      { table: 'backend', index: 0, key: 'identity', message: /an open relay/ },
      address,
    );
  }
});

test('a name that leads elsewhere, or nowhere yet, or a risk that was acknowledged is not', async (t) => {
  await refuseRelayRisks(config(), () => Promise.resolve(['203.0.113.5']));
  await refuseRelayRisks(config(), () => Promise.resolve([]));
  await refuseRelayRisks(config('acknowledge-relay-risk = true\n'), () => Promise.resolve(['127.0.0.1']));
  t.pass('none of them is refused');
});

const ends = (local: string, remote: string): Pick<SocketChannel, 'local' | 'remote'> => ({
  local: { address: local, port: 40_000 },
  remote: { address: remote, port: 25 },
});

test('a name that comes to lead nearby later is refused when a connection is made', async (t) => {
  const [backend] = config().backends;
  t.equal(leadsNearby(backend!, ends('203.0.113.9', '203.0.113.5')), false);
  t.equal(leadsNearby(backend!, ends('203.0.113.9', '203.0.113.9')), true, 'this machine');
  t.equal(leadsNearby(backend!, ends('127.0.0.1', '127.0.0.1')), true);
  t.equal(leadsNearby({ ...backend!, identity: 'proxy-v2' }, ends('127.0.0.1', '127.0.0.1')), false);
});

test('the program does not start with a backend whose name is that of its own machine', async (t) => {
  for (const host of ['LOCALHOST', hostname()]) {
    await t.rejects(startProgram(TOML.replace('HOST', host), 1), {
      message: /ended with (?:code )?2: .*oldhello\.toml:12: backend\[0\]\.identity: .*an open relay/,
    });
  }
});
