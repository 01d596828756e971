/** Counting clients: who counts as one, how fast they may come, and how little is remembered of them. */
import fc from 'fast-check';
import { test } from 'tap';
import { ConnectionCount } from '../../src/policy/connection-count.js';
import { addressBytes, addressText, limitKey } from '../../src/net/ip-address.js';
import { HandshakeLimiter } from '../../src/policy/handshake-limiter.js';
import { BURST_SECONDS, RateLimiter } from '../../src/policy/rate-limiter.js';

test('IPv4 clients count by address, IPv6 clients by their /64 however it is written', async (t) => {
  t.equal(limitKey('192.0.2.7'), '192.0.2.7');
  for (const same of [
    '2001:db8:0:1::',
    '2001:db8:0:1::1',
    '2001:DB8::1:0:0:0:ffff',
    '2001:0db8:0000:0001:ffff:ffff:ffff:ffff',
    '2001:db8:0:1::192.0.2.7',
    '2001:db8:0:1::2%eth0',
  ]) {
    t.equal(limitKey(same), '2001:db8:0:1::/64', same);
  }
  t.equal(limitKey('2001:db8:0:2::1'), '2001:db8:0:2::/64');
  t.equal(limitKey('::1'), '::/64');
  t.equal(limitKey('64:ff9b::192.0.2.7'), '64:ff9b::/64');
});

test('the /64 of any IPv6 address begins with its first eight bytes and ends in zeros', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const [network, prefix] = limitKey(addressText(Buffer.from(bytes))).split('/');
      const expected = Buffer.concat([Buffer.from(bytes.subarray(0, 8)), Buffer.alloc(8)]);
      return prefix === '64' && addressBytes(network!)!.equals(expected);
    }),
  );
  t.pass('in every case');
});

test('a rate lets its burst through, then one for each time that one takes', async (t) => {
  let now = 1_000;
  const limiter = new RateLimiter(() => now);
  const takeAll = (key: string, rate: number): number => {
    let taken = 0;
    while (taken < 1_000 && limiter.take(key, rate)) taken += 1;
    return taken;
  };
  t.equal(takeAll('a', 5), 5 * BURST_SECONDS);
  now += 199;
  t.notOk(limiter.take('a', 5), 'a fifth of a second is not over');
  now += 1;
  t.equal(takeAll('a', 5), 1);
  t.equal(takeAll('b', 5), 5 * BURST_SECONDS, 'others are not held up');
  now += 3_000;
  t.equal(takeAll('a', 5), 15);
  now += 3_600_000;
  t.equal(takeAll('a', 5), 5 * BURST_SECONDS, 'and nobody saves up more than the burst');
  t.equal(takeAll('c', 0), 1_000, '0 is no limit');
  t.equal(takeAll('d', 0.01), 1, 'a rate below one in a burst still lets one in');
});

test('a rate limiter remembers a bounded number of addresses, and those who came last', async (t) => {
  const limiter = new RateLimiter(() => 0);
  for (let index = 0; index < 20_000; index += 1) limiter.take(`client ${index}`, 1);
  t.equal(limiter.size, 10_000);
  for (let index = 1; index < BURST_SECONDS; index += 1) t.ok(limiter.take('client 19999', 1));
  t.notOk(limiter.take('client 19999', 1), 'one that keeps coming is not forgotten');
});

test('connections are counted in total, by address and by policy entry, and given back', async (t) => {
  const count = new ConnectionCount();
  const limits = { maxConnections: 4, maxConnectionsPerAddress: 2 };
  const group = { name: '192.0.2.0/24', maxConnections: 3 };
  const enter = (address: string, of = group) => count.acquire(address, limits, of);
  const first = enter('192.0.2.1');
  enter('192.0.2.1');
  t.same(enter('192.0.2.1'), { over: 'max-connections-per-address' });
  enter('192.0.2.2');
  t.same(enter('192.0.2.3'), { over: 'policy-max-connections' });
  count.acquire('2001:db8::1', limits);
  t.same(count.acquire('2001:db8::2', limits), { over: 'max-connections' });
  t.equal(count.total, 4, 'who was turned away does not count');
  if ('release' in first) first.release();
  t.ok('release' in enter('192.0.2.3'), 'a place that is left can be taken');
});

test('handshakes have a limit at the same time, in total and by address, of which a process may have a share', async (t) => {
  const count = new HandshakeLimiter(() => 0);
  const limits = { maxHandshakes: 2, handshakesPerSecond: 0, handshakesPerSecondPerAddress: 0 };
  const first = count.begin('192.0.2.1', limits);
  count.begin('192.0.2.1', limits);
  t.same(count.begin('192.0.2.2', limits), { over: 'max-handshakes' });
  if ('done' in first) first.done();
  t.ok('done' in count.begin('192.0.2.2', limits));

  const admitted = (counter: HandshakeLimiter, addresses: readonly string[], rates: object): string[] => {
    const many = { maxHandshakes: 1_000, handshakesPerSecond: 0, handshakesPerSecondPerAddress: 0, ...rates };
    return addresses.map((address) => {
      const begun = counter.begin(address, many);
      return 'over' in begun ? begun.over : 'in';
    });
  };
  const flood = Array<string>(2 * BURST_SECONDS).fill('2001:db8::1');
  const perAddress = 'handshakes-per-second-per-address';
  const alone = admitted(new HandshakeLimiter(() => 0), [...flood, '2001:db8::2', '192.0.2.1'], {
    handshakesPerSecond: 1,
    handshakesPerSecondPerAddress: 0.5,
  });
  t.same(alone.slice(0, BURST_SECONDS / 2), Array(BURST_SECONDS / 2).fill('in'));
  t.same(
    alone.slice(BURST_SECONDS / 2, -1),
    Array(BURST_SECONDS * 1.5 + 1).fill(perAddress),
    'and its neighbours in the /64',
  );
  t.equal(alone.at(-1), 'in', 'who is refused for its own rate takes nothing from the others');
  const together = admitted(new HandshakeLimiter(() => 0), flood, { handshakesPerSecond: 1 });
  t.same(together, [
    ...Array<string>(BURST_SECONDS).fill('in'),
    ...Array<string>(BURST_SECONDS).fill('handshakes-per-second'),
  ]);
  const shared = new HandshakeLimiter(() => 0);
  shared.shareAmong(2);
  const half = admitted(shared, flood, { handshakesPerSecond: 1 });
  t.equal(
    half.filter((one) => one === 'in').length,
    BURST_SECONDS / 2,
    'half of it for one of two processes',
  );
});
