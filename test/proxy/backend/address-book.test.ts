/** In which order a session tries the addresses of a backend. */
import { test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import type { BackendConfig } from '../../../src/config/schema.js';
import { AddressBook, stateOf } from '../../../src/proxy/backend/address-book.js';
import { HostCache } from '../../../src/proxy/backend/host-cache.js';
import { targetText } from '../../../src/proxy/backend/target.js';
import { proxyConfig, type Table } from '../../support/proxy-config.js';

const HOSTS: Record<string, readonly string[]> = { 'mx.example': ['192.0.2.1', '2001:db8::1'] };

function backendWith(keys: Table): BackendConfig {
  return parseConfig(proxyConfig({ backend: keys }), '/etc/f.toml').backends[0]!;
}

function rig(keys: Table) {
  const clock = { now: 0 };
  const addresses = (host: string): Promise<readonly string[]> => Promise.resolve(HOSTS[host] ?? []);
  const hosts = new HostCache({ addresses, records: () => Promise.resolve([]) }, () => clock.now);
  const book = new AddressBook(hosts, () => clock.now);
  const backend = backendWith(keys);
  const order = async (preferred?: number): Promise<string[]> => {
    const all = await book.targets(backend);
    const targets = await book.sessionTargets(backend, preferred === undefined ? undefined : all[preferred]);
    return targets.map(targetText);
  };
  return { clock, book, backend, order };
}

const THREE = { address: ['10.0.0.1:25', '10.0.0.2:25', 'unix:/run/mta'] };

test('the first address that is up comes first, those that are down last, until they have been left alone for a while', async (t) => {
  const { clock, book, backend, order } = rig(THREE);
  const [one, two, three] = await book.targets(backend);
  t.same(await order(), THREE.address);
  book.failed(one!);
  t.same(await order(), ['10.0.0.2:25', 'unix:/run/mta', '10.0.0.1:25']);
  book.failed(three!);
  t.same(await order(), ['10.0.0.2:25', '10.0.0.1:25', 'unix:/run/mta']);
  book.failed(two!);
  t.same(await order(), THREE.address, 'there is nothing better, so all are tried');
  book.succeeded(two!);
  t.same(await order(), ['10.0.0.2:25', '10.0.0.1:25', 'unix:/run/mta']);
  clock.now = 30_000;
  t.same(await order(), THREE.address);
});

test('between two health checks an address stays down', async (t) => {
  const { clock, book, backend, order } = rig({ ...THREE, 'health-interval': '5m' });
  const [one] = await book.targets(backend);
  book.learn(stateOf(one!, true));
  clock.now = 599_999;
  t.equal((await order())[0], '10.0.0.2:25');
  book.learn(stateOf(one!, false));
  t.equal((await order())[0], '10.0.0.1:25');
});

test('with round-robin each address that is up has its turn', async (t) => {
  const { book, backend, order } = rig({ ...THREE, balance: 'round-robin' });
  const turns = async (): Promise<string[]> => [
    (await order())[0]!,
    (await order())[0]!,
    (await order())[0]!,
  ];
  t.same(await turns(), THREE.address);
  t.same(await order(), THREE.address, 'with the others behind it');
  t.same(await order(), ['10.0.0.2:25', 'unix:/run/mta', '10.0.0.1:25']);
  book.failed((await book.targets(backend))[1]!);
  const seen = new Set([...(await turns()), ...(await turns())]);
  t.same([...seen].sort(), ['10.0.0.1:25', 'unix:/run/mta']);
});

test('the second session of a client goes where its first was, if that is up', async (t) => {
  const { book, backend, order } = rig({ ...THREE, balance: 'round-robin' });
  for (let turn = 0; turn < 4; turn += 1) t.equal((await order(1))[0], '10.0.0.2:25');
  book.failed((await book.targets(backend))[1]!);
  t.equal((await order(1)).at(-1), '10.0.0.2:25');
});

test('a host name stands for all its addresses, and one that has none for itself', async (t) => {
  const { order } = rig({ address: ['mx.example:25', 'gone.example:25'] });
  t.same(await order(), [
    'mx.example:25, 192.0.2.1:25',
    'mx.example:25, [2001:db8::1]:25',
    'gone.example:25',
  ]);
});
