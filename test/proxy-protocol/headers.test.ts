/** PROXY headers, both versions and both directions: any split, any addresses, every bound. */
import fc from 'fast-check';
import { test } from 'tap';
import { decodeProxyHeader } from '../../src/proxy-protocol/decode.js';
import type { DecodedProxyHeader } from '../../src/proxy-protocol/header.js';
import type { Endpoint } from '../../src/net/endpoint.js';
import { connectionInfo, type ConnectionInfo } from '../../src/proxy-protocol/tlv.js';
import { encodeProxyV1 } from '../../src/proxy-protocol/v1.js';
import { encodeProxyV2 } from '../../src/proxy-protocol/v2.js';

const port = fc.integer({ min: 0, max: 65_535 });
const ipv4: fc.Arbitrary<Endpoint> = fc.record({ address: fc.ipV4(), port });
/** In the one form of RFC 5952, which is what a decoder gives. */
const ipv6: fc.Arbitrary<Endpoint> = fc.record({
  address: fc
    .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.map((group) => group.toString(16)).join(':')),
  port,
});
const pair = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
const ascii = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength,
  });
const facts: fc.Arbitrary<ConnectionInfo> = fc.record({
  uniqueId: fc.option(ascii(128), { nil: undefined }),
  authority: fc.option(ascii(255), { nil: undefined }),
  helloFormat: fc.option(fc.constantFrom('sslv2', 'record'), { nil: undefined }),
  ssl: fc.option(
    fc.record({
      version: fc.constantFrom('SSLv3', 'TLSv1', 'TLSv1.3'),
      cipher: ascii(40),
      signatureAlgorithm: fc.option(ascii(30), { nil: undefined }),
      keyAlgorithm: fc.option(ascii(10), { nil: undefined }),
    }),
    { nil: undefined },
  ),
});

/** Both versions of a header for the same client. */
const encoded = fc.tuple(pair, facts).map(([[source, destination], known]) => {
  const addresses = { command: 'PROXY', source, destination } as const;
  return { source, destination, known, v1: encodeProxyV1(addresses), v2: encodeProxyV2(addresses, known) };
});

function header(decoded: DecodedProxyHeader): Extract<DecodedProxyHeader, { consumed: number }> {
  if (!('header' in decoded)) throw new Error(JSON.stringify(decoded));
  return decoded;
}

test('what is encoded is decoded to the same, with what follows left alone', async (t) => {
  fc.assert(
    fc.property(encoded, fc.uint8Array({ maxLength: 50 }), ({ source, destination, known, v1, v2 }, rest) => {
      for (const bytes of [v1, v2]) {
        const decoded = header(decodeProxyHeader(Buffer.concat([bytes, rest])));
        t.same(
          { ...decoded.header, tlvs: undefined },
          { command: 'PROXY', source, destination, tlvs: undefined },
        );
        t.equal(decoded.consumed, bytes.length);
      }
      t.same(connectionInfo(header(decodeProxyHeader(v2)).header.tlvs!), known);
    }),
    { numRuns: 200 },
  );
});

test('every part of a header asks for more, whole or in single bytes', async (t) => {
  fc.assert(
    fc.property(encoded, ({ v1, v2 }) => {
      for (const bytes of [v1, v2]) {
        for (let length = 0; length < bytes.length; length += 1) {
          t.same(decodeProxyHeader(bytes.subarray(0, length)), { need: 'more' });
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('addresses of two families are sent as IPv6, IPv4 as mapped', async (t) => {
  const source = { address: '192.0.2.7', port: 40_000 };
  const destination = { address: '2001:db8::1', port: 25 };
  const mixed = { command: 'PROXY', source, destination } as const;
  t.equal(encodeProxyV1(mixed).toString(), 'PROXY TCP6 ::ffff:c000:207 2001:db8::1 40000 25\r\n');
  const decoded = header(decodeProxyHeader(encodeProxyV2(mixed))).header;
  t.same(decoded.source, { address: '::ffff:c000:207', port: 40_000 });
  t.same(decoded.destination, destination);
  const mapped = {
    command: 'PROXY',
    source: { address: '::ffff:192.0.2.7', port: 1 },
    destination: source,
  } as const;
  t.equal(encodeProxyV1(mapped).toString(), 'PROXY TCP4 192.0.2.7 192.0.2.7 1 40000\r\n');
});

test('an address that is none makes a header that speaks for nobody', async (t) => {
  const broken = {
    command: 'PROXY',
    source: { address: 'unix', port: 0 },
    destination: { address: '1.2.3.4', port: 1 },
  } as const;
  t.equal(encodeProxyV1(broken).toString(), 'PROXY UNKNOWN\r\n');
  t.equal(header(decodeProxyHeader(encodeProxyV2(broken))).header.command, 'UNKNOWN');
});

test('LOCAL and UNKNOWN have no addresses, whatever else they carry', async (t) => {
  t.same(header(decodeProxyHeader(encodeProxyV2({ command: 'LOCAL' }))).header, { command: 'LOCAL' });
  const local = Buffer.from('0d0a0d0a000d0a515549540a2011000c0102030405060708000100024142', 'hex');
  t.same(header(decodeProxyHeader(local)), { header: { command: 'LOCAL' }, consumed: 28 });
  t.same(header(decodeProxyHeader(Buffer.from('PROXY UNKNOWN\r\nEHLO'))), {
    header: { command: 'UNKNOWN' },
    consumed: 15,
  });
  const more = 'PROXY UNKNOWN ffff:f:1 what ever\r\n';
  t.same(header(decodeProxyHeader(Buffer.from(more))), {
    header: { command: 'UNKNOWN' },
    consumed: more.length,
  });
  const unix = Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a213100d8', 'hex'), Buffer.alloc(0xd8)]);
  t.same(header(decodeProxyHeader(unix)), { header: { command: 'UNKNOWN' }, consumed: unix.length });
});

test('unknown TLVs are skipped, and one that is too long is refused', async (t) => {
  const fixed = '0d0a0d0a000d0a515549540a2111';
  const addresses = '0102030405060708000a0019';
  const known = Buffer.from(`${fixed}0014${addresses}ee0002abcd040000`, 'hex');
  const { tlvs } = header(decodeProxyHeader(known)).header;
  t.same(
    tlvs?.map(({ type }) => type),
    [0xee, 0x04],
  );
  const tooLong = Buffer.from(`${fixed}0011${addresses}ee0003abcd`, 'hex');
  t.match(decodeProxyHeader(tooLong), { malformed: /TLV/ });
  const cut = Buffer.from(`${fixed}000e${addresses}ee00`, 'hex');
  t.match(decodeProxyHeader(cut), { malformed: /TLV/ });
});

test('a damaged header is refused by its checksum', async (t) => {
  const bytes = encodeProxyV2(
    {
      command: 'PROXY',
      source: { address: '192.0.2.7', port: 1 },
      destination: { address: '192.0.2.8', port: 2 },
    },
    { uniqueId: 'abc' },
  );
  // From the addresses on; before them lie the signature, the command and the length.
  for (let at = 16; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x04;
    const decoded = decodeProxyHeader(damaged);
    // With its own type damaged, a checksum is a TLV that nobody knows.
    const seen = 'header' in decoded && decoded.header.tlvs?.some(({ type }) => type === 0x03) === true;
    t.notOk(seen, `byte ${at}`);
  }
});

test('bounds hold before the bytes have come', async (t) => {
  const huge = Buffer.from('0d0a0d0a000d0a515549540a2111ffff', 'hex');
  t.match(decodeProxyHeader(huge), { malformed: /too many/ });
  t.match(decodeProxyHeader(Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`)), { malformed: /too long/ });
  t.match(decodeProxyHeader(Buffer.from('0d0a0d0a000d0a515549540a2111000b', 'hex')), { need: 'more' });
  const short = Buffer.from('0d0a0d0a000d0a515549540a2111000b0000000000000000000000', 'hex');
  t.match(decodeProxyHeader(short), { malformed: /too short/ });
});

test('what is no header is refused at its first wrong byte, never guessed at', async (t) => {
  for (const text of ['E', 'PROXX', 'PROXY  ', '\r\n\r\n\0\r\nQUIX', '\x16\x03', '\x80\x2e']) {
    const decoded = decodeProxyHeader(Buffer.from(text, 'latin1'));
    if (text === 'PROXY  ') t.same(decoded, { need: 'more' });
    else t.match(decoded, { malformed: 'no PROXY header' }, JSON.stringify(text));
  }
});

test('version 1 takes the grammar and nothing near it', async (t) => {
  for (const line of [
    'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n',
    'PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n',
    'PROXY TCP4 00.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4.5 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4. 5.6.7.8 1 2\r\n',
    'PROXY TCP4 .1.2.3 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1..2.3 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.-4 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4e 5.6.7.8 1 2\r\n',
    'PROXY TCP4 ::1 ::2 1 2\r\n',
    'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP6 1::2::3 ::1 1 2\r\n',
    'PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY \r\n',
  ]) {
    t.match(decodeProxyHeader(Buffer.from(line)), { malformed: /./ }, line.trim());
  }
});

test('no bytes at all make the decoder throw or read beyond them', async (t) => {
  const start = fc.constantFrom(
    '',
    '0d0a0d0a000d0a515549540a',
    '0d0a0d0a000d0a515549540a21110',
    '50524f585920',
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (signature, rest) => {
      const bytes = Buffer.concat([Buffer.from(signature, 'hex'), rest]);
      const decoded = decodeProxyHeader(bytes);
      t.ok('need' in decoded || 'malformed' in decoded || decoded.consumed <= bytes.length);
    }),
    { numRuns: 1000 },
  );
});
