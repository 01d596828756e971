/** Which addresses are in a set of networks: as a comparison of bits says, however many networks there are. */
import fc from 'fast-check';
import { BlockList } from 'node:net';
import { test } from 'tap';
import { addressText } from '../../src/net/ip-address.js';
import { NetworkSet, PolicyTable } from '../../src/policy/networks.js';

/** Few different bits, so that networks lie within each other, side by side and on addresses. */
const bit = fc.constantFrom(0, 1, 2, 3, 128, 254, 255);
const ipv4 = fc.array(bit, { minLength: 4, maxLength: 4 }).map((bytes) => bytes.join('.'));
const ipv6 = fc
  .tuple(
    fc.constantFrom('20010db8', '00000000', 'fe800000', 'ffffffff'),
    fc.constantFrom('0000000000000000', '000000000000ffff', 'ffffffffffffffff'),
    fc.array(bit, { minLength: 4, maxLength: 4 }),
  )
  .map(([head, middle, tail]) =>
    addressText(Buffer.from(head + middle + Buffer.from(tail).toString('hex'), 'hex')),
  );
const network = fc.oneof(
  ipv4,
  ipv6,
  fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
  fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`),
);

const familyOf = (address: string): 'ipv4' | 'ipv6' => (address.includes(':') ? 'ipv6' : 'ipv4');

/** Node's own list, which looks at each network in turn. */
function naive(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const one of networks) {
    const [address = '', length] = one.split('/');
    if (length === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(length), familyOf(address));
  }
  return (address) => list.check(address, familyOf(address));
}

test('a set has the addresses that each of its networks has, and no others', async (t) => {
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 12 }),
      fc.array(fc.oneof(ipv4, ipv6)),
      (networks, addresses) => {
        const expected = naive(networks);
        const set = NetworkSet.of(networks);
        const restored = NetworkSet.restore(set.bytes);
        const own = networks.map((one) => one.split('/')[0]!);
        return [...addresses, ...own].every(
          (address) => set.has(address) === expected(address) && restored.has(address) === expected(address),
        );
      },
    ),
    { numRuns: 2_000 },
  );
  t.pass('in every case');
});

test('the first and the last address of a network are in it, and their neighbours are not', async (t) => {
  for (const [networks, inside, outside] of [
    [['192.0.2.0/24'], ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.9'], ['192.0.1.255', '192.0.3.0', '::']],
    [['192.0.2.77/24'], ['192.0.2.0', '192.0.2.255'], ['192.0.3.0']],
    [['192.0.2.7'], ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    [['0.0.0.0/0'], ['0.0.0.0', '255.255.255.255'], ['::1', '2001:db8::1']],
    [['2001:db8::/33'], ['2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'], ['2001:db8:8000::']],
    [['::/0'], ['::', 'ffff::', '10.0.0.1'], []],
    [['::/80'], ['10.0.0.1', '::1'], ['0:0:0:1::']],
    [['::ffff:0:0/96'], ['0.0.0.0', '255.255.255.255'], ['::1', '::fffe:0:1']],
    [['::ffff:10.0.0.0/104'], ['10.0.0.1', '::ffff:10.9.9.9'], ['11.0.0.1', '::1']],
    [['2000::/3'], ['2001:db8::1'], ['10.0.0.1', '32.0.0.1']],
    [['10.0.0.0/24', '10.0.1.0/24', '10.0.0.128/25'], ['10.0.0.255', '10.0.1.0'], ['10.0.2.0']],
    [['fe80::/10'], ['fe80::1%eth0'], ['192.0.2.1']],
    [['0.0.0.0/0', '::/0'], ['192.0.2.1'], ['no address', '', '192.0.2.1/32']],
    [[], [], ['192.0.2.1', '::1']],
  ] as const) {
    const set = NetworkSet.of(networks);
    for (const address of inside) t.ok(set.has(address), `${address} in ${networks.join(' ')}`);
    for (const address of outside) t.notOk(set.has(address), `${address} not in ${networks.join(' ')}`);
  }
});

test('networks that overlap count as one, and each takes 32 bytes', async (t) => {
  t.equal(NetworkSet.of(['10.0.0.0/8', '10.1.0.0/16', '10.1.0.0/16', '10.2.3.4']).size, 1);
  const many = Array.from({ length: 10_000 }, (_, index) => `10.${index >> 7}.${(index & 127) * 2}.0/24`);
  const set = NetworkSet.of(many);
  t.equal(set.size, 10_000);
  t.equal(set.bytes.length, 320_000);
  t.ok(many.every((one) => set.has(one.replace('/24', ''))));
  t.notOk(set.has('10.0.1.0'));
});

test('the first entry that has the client counts, by its list or by its file', async (t) => {
  const files = { '/old': NetworkSet.of(['192.0.2.0/24']), '/none': NetworkSet.of([]) };
  const entries = [
    { name: 'nobody', networks: [], networksFile: '/none' },
    { name: 'one', networks: ['192.0.2.7'], networksFile: undefined },
    { name: 'both', networks: ['198.51.100.0/24'], networksFile: '/old' },
    { name: 'all', networks: [], networksFile: undefined },
  ];
  const table = new PolicyTable(entries, files);
  const nameFor = (address: string): string | undefined => table.match(address)?.name;
  t.equal(nameFor('192.0.2.7'), 'one');
  t.equal(nameFor('192.0.2.8'), 'both');
  t.equal(nameFor('198.51.100.1'), 'both');
  t.equal(nameFor('203.0.113.1'), 'all');
  t.equal(new PolicyTable(entries.slice(0, 3), files).match('203.0.113.1'), undefined);
  t.throws(
    () => new PolicyTable(entries, {}),
    /\/none was not read/,
    'a file that is missing is not everybody',
  );
});
