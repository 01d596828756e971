/** How long the addresses of a host name are kept, and what holds when nobody can tell them. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { test, type Test } from 'tap';
import { HostCache, SYSTEM_RESOLVER, type DnsRecord } from '../../../src/proxy/backend/host-cache.js';

interface Rig {
  readonly cache: HostCache;
  readonly asked: number;
  /** Of the system; undefined for one that fails. */
  addresses: readonly string[] | undefined;
  records: readonly DnsRecord[];
  now: number;
}

function rig(): Rig {
  const self = {
    addresses: [] as readonly string[] | undefined,
    records: [] as readonly DnsRecord[],
    now: 0,
    asked: 0,
  };
  const cache = new HostCache(
    {
      addresses: () => {
        self.asked += 1;
        return self.addresses === undefined
          ? Promise.reject(new Error('EAI_AGAIN'))
          : Promise.resolve(self.addresses);
      },
      records: () => Promise.resolve(self.records),
    },
    () => self.now,
  );
  return Object.assign(self, { cache });
}

test('an answer is kept for its shortest TTL, and asked for again then', async (t) => {
  const it = rig();
  it.addresses = ['192.0.2.1', '2001:db8::1'];
  it.records = [
    { address: '192.0.2.1', ttl: 60 },
    { address: '2001:db8::1', ttl: 20 },
  ];
  t.same(await it.cache.resolve('mx.example'), ['192.0.2.1', '2001:db8::1'], 'in the order of the system');
  it.now = 19_999;
  it.addresses = ['192.0.2.2'];
  t.same(await it.cache.resolve('mx.example'), ['192.0.2.1', '2001:db8::1']);
  t.equal(it.asked, 1);
  it.now = 20_000;
  t.same(await it.cache.resolve('mx.example'), ['192.0.2.2']);
  t.equal(it.asked, 2);
});

test('what is not in DNS, as a name of /etc/hosts, is asked for again after half a minute', async (t) => {
  const it = rig();
  it.addresses = ['10.0.0.1'];
  it.records = [{ address: '192.0.2.1', ttl: 3600 }];
  await it.cache.resolve('mta');
  it.now = 29_999;
  await it.cache.resolve('mta');
  t.equal(it.asked, 1);
  it.now = 30_000;
  await it.cache.resolve('mta');
  t.equal(it.asked, 2);
});

test('a TTL of 0 is a second, and one of a year is an hour', async (t) => {
  for (const [ttl, lifetime] of [
    [0, 1_000],
    [31_536_000, 3_600_000],
  ] as const) {
    const it = rig();
    it.addresses = ['192.0.2.1'];
    it.records = [{ address: '192.0.2.1', ttl }];
    await it.cache.resolve('mx.example');
    it.now = lifetime - 1;
    await it.cache.resolve('mx.example');
    t.equal(it.asked, 1);
    it.now = lifetime;
    await it.cache.resolve('mx.example');
    t.equal(it.asked, 2);
  }
});

test('while DNS fails, the last answer is used, and the next session but one looks it up again', async (t) => {
  const it = rig();
  it.addresses = ['192.0.2.1'];
  await it.cache.resolve('mx.example');
  it.addresses = undefined;
  it.now = 30_000;
  t.same(await it.cache.resolve('mx.example'), ['192.0.2.1']);
  it.now = 34_999;
  t.same(await it.cache.resolve('mx.example'), ['192.0.2.1']);
  t.equal(it.asked, 2, 'five seconds later at the earliest');
  it.now = 35_000;
  it.addresses = ['192.0.2.2'];
  t.same(await it.cache.resolve('mx.example'), ['192.0.2.2']);
  t.same(await rigWithout().resolve('nowhere.example'), [], 'a name that never had an address has none');
});

function rigWithout(): HostCache {
  const it = rig();
  it.addresses = undefined;
  return it.cache;
}

test('sessions that come together ask once, and an address is not asked for', async (t) => {
  const it = rig();
  it.addresses = ['192.0.2.1'];
  await Promise.all(Array.from({ length: 20 }, () => it.cache.resolve('mx.example')));
  t.equal(it.asked, 1);
  t.same(await it.cache.resolve('2001:db8::1'), ['2001:db8::1']);
  t.equal(it.asked, 1);
});

test('localhost is what the system resolves it to, with or without DNS', async (t) => {
  const addresses = await new HostCache(SYSTEM_RESOLVER, () => 0).resolve('localhost');
  t.ok(
    addresses.length > 0 && addresses.every((one) => one === '127.0.0.1' || one === '::1'),
    addresses.join(),
  );
});

/** A name server that has one A record for every name. */
async function startNameServer(t: Test, ttl: number): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const question = query.subarray(12);
    const end = question.indexOf(0) + 5;
    const isA = question.readUInt16BE(end - 4) === 1;
    // RFC 1035, 4.1: a response without error, one question, one answer where it is about IPv4.
    const header = Buffer.concat([
      query.subarray(0, 2),
      Buffer.from([0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]),
    ]);
    const answer = Buffer.from('c00c000100010000000000040a000009', 'hex');
    answer.writeUInt32BE(ttl, 6);
    socket.send(
      Buffer.concat([header, question.subarray(0, end), isA ? answer : Buffer.alloc(0)]),
      port,
      address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port;
}

test('the TTL that a name server sends is the one that counts', async (t) => {
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${await startNameServer(t, 7)}`]);
  let now = 0;
  let asked = 0;
  const cache = new HostCache(
    {
      addresses: () => {
        asked += 1;
        return resolver.resolve4('mx.example');
      },
      records: (host) => resolver.resolve4(host, { ttl: true }),
    },
    () => now,
  );
  t.same(await cache.resolve('mx.example'), ['10.0.0.9']);
  while ((await cache.resolve('mx.example')).length === 0);
  // The TTL comes a moment after the answer.
  await resolver.resolve4('mx.example');
  now = 6_999;
  await cache.resolve('mx.example');
  t.equal(asked, 1);
  now = 7_000;
  await cache.resolve('mx.example');
  t.equal(asked, 2);
});
