/** IP addresses as peers and load balancers write them, and the networks that logs, reports and limits count by. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { test } from 'tap';
import { hostAndPort, parseHostAndPort, unmapped } from '../../src/net/endpoint.js';
import { addressBytes, addressText, limitKey, siteNetwork } from '../../src/net/ip-address.js';

/** RFC 5952, 4, and what inet_ntop of glibc prints. */
const CANONICAL: Record<string, string> = {
  '192.0.2.7': '192.0.2.7',
  '2001:0DB8:0000:0000:0000:0000:0000:0001': '2001:db8::1',
  '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
  '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
  '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
  '0:0:0:0:0:0:0:0': '::',
  '::1': '::1',
  'fe80::': 'fe80::',
  'fe80::1%eth0': 'fe80::1',
  '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
  '64:ff9b::192.0.2.7': '64:ff9b::c000:207',
  '::ffff:192.0.2.7': '192.0.2.7',
  '::FFFF:c000:0207': '192.0.2.7',
};

test('each spelling of an address has one canonical text', async (t) => {
  for (const [written, canonical] of Object.entries(CANONICAL)) {
    const bytes = addressBytes(written);
    t.ok(bytes, written);
    t.equal(addressText(bytes!), canonical, written);
  }
});

test('text that is no address is not taken for one, however close it looks', async (t) => {
  const wrong =
    '|1|1.2.3|1.2.3.4.5|256.1.1.1|010.1.1.1|0x7f.0.0.1|1.2.3.4 |1..2.3|:|:::|1::2::3|1:2:3:4:5:6:7|' +
    '1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7:8::|::1:|:1::|12345::|g::|::1.2.3|::1.2.3.4:5|1:2:3:4:5:6:7:1.2.3.4|::1/64';
  for (const text of wrong.split('|')) t.equal(addressBytes(text), undefined, JSON.stringify(text));
});

test('node:net and this parser agree on what an address is', async (t) => {
  const almost = fc
    .array(fc.constantFrom(...'0123459afF:::::...%'.split('')), { maxLength: 24 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(almost, fc.ipV4(), fc.ipV6()), (text) => {
      // A zone is not our part: only whether one may be empty or hold a "%" is seen differently.
      const [, zone, ...more] = text.split('%');
      const odd = zone === '' || more.length > 0;
      return odd || (isIP(text) !== 0) === (addressBytes(text) !== undefined);
    }),
    { numRuns: 2_000 },
  );
  t.pass('on 2,000 texts');
});

test('bytes to text and back are the same bytes', async (t) => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(address, (values) => {
      const bytes = Buffer.from(values);
      return addressBytes(addressText(bytes))!.equals(
        bytes.length === 16 && isMapped(bytes) ? bytes.subarray(12) : bytes,
      );
    }),
  );
  t.pass('always');
});

test('a site is a /24 of IPv4 or a /64 of IPv6, in canonical text', async (t) => {
  t.equal(siteNetwork('192.0.2.77'), '192.0.2.0/24');
  t.equal(siteNetwork('::ffff:192.0.2.77'), '192.0.2.0/24');
  t.equal(siteNetwork('2001:db8::1'), '2001:db8::/64');
  t.equal(siteNetwork('2001:DB8:0:0:ffff::1'), '2001:db8::/64');
  t.equal(siteNetwork('2001:db8:0:1::1'), '2001:db8:0:1::/64');
  t.equal(siteNetwork('::1'), '::/64');
  t.equal(siteNetwork('unknown'), 'unknown');
  for (const address of ['2001:db8:0:1::1', '2001:db8::1', '::1']) {
    t.equal(limitKey(address), siteNetwork(address), 'and the limits count by the same name');
  }
});

test('an address with a port is written with brackets where it is IPv6, and read back', async (t) => {
  for (const text of ['192.0.2.7:25', '[2001:db8::1]:25', 'mail.example.com:25']) {
    const { host, port } = parseHostAndPort(text)!;
    t.equal(hostAndPort(host, port), text);
  }
  for (const text of [
    '',
    '25',
    ':25',
    '::1:25',
    '[::1]',
    '[192.0.2.7]:25',
    '192.0.2:25',
    'host:65536',
    'a b:25',
  ]) {
    t.equal(parseHostAndPort(text), undefined, JSON.stringify(text));
  }
});

test('an IPv4 client of a dual-stack socket counts as IPv4', async (t) => {
  t.same(unmapped({ address: '::ffff:192.0.2.7', port: 1 }), { address: '192.0.2.7', port: 1 });
  t.same(unmapped({ address: '2001:db8::1', port: 1 }), { address: '2001:db8::1', port: 1 });
});

function isMapped(bytes: Buffer): boolean {
  return bytes.toString('hex').startsWith('00000000000000000000ffff');
}
