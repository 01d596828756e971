/** How many addresses are remembered, which are forgotten, and that one IPv6 /64 gets only its part. */
import { test } from 'tap';
import { AddressTable } from '../../src/net/address-table.js';

test('the address that was set the longest time ago is forgotten first', async (t) => {
  const table = new AddressTable<number>(20);
  for (let number = 0; number < 20; number += 1)
    t.equal(table.set(`192.0.2.${number}`, number), false, `${number}`);
  table.set('192.0.2.0', 100);
  t.equal(table.set('198.51.100.1', 1), true);
  t.equal(table.size, 20);
  t.equal(table.get('192.0.2.1'), undefined, 'the oldest');
  t.equal(table.get('192.0.2.0'), 100, 'which is not the oldest, for it was set again');
});

test('one IPv6 client with many addresses pushes out no other one', async (t) => {
  const table = new AddressTable<number>(100);
  table.set('192.0.2.1', 1);
  table.set('2001:db8:1::1', 2);
  for (let number = 0; number < 1000; number += 1) table.set(`2001:db8:2::${number.toString(16)}`, number);
  t.equal(table.get('192.0.2.1'), 1);
  t.equal(table.get('2001:db8:1::1'), 2);
  t.equal(table.size, 12, 'a tenth of the table for its /64');
  t.same([...table.values()].slice(-1), [999], 'its newest addresses are remembered');
  t.equal(table.get('2001:db8:2::3dd'), undefined);
  t.equal(table.get('2001:db8:2::3de'), 990);
});

test('what is deleted makes room in its network', async (t) => {
  const table = new AddressTable<number>(20);
  table.set('2001:db8::1', 1);
  table.set('2001:db8::2', 2);
  table.delete('2001:db8::2');
  table.delete('2001:db8::2');
  t.equal(table.set('2001:db8::3', 3), false);
  t.same([...table.entries()], [['2001:db8::1', 1], ['2001:db8::3', 3]]); // prettier-ignore
  t.equal(table.set('2001:db8:0:0:1::4', 4), true, 'another one of the same /64');
  t.equal(table.get('2001:db8::1'), undefined);
});

test('IPv4 addresses count one by one, in any notation', async (t) => {
  const table = new AddressTable<number>(20);
  for (let number = 0; number < 20; number += 1) table.set(`::ffff:192.0.2.${number}`, number);
  t.equal(table.size, 20);
});
