/** JA3 and JA4 against the examples their authors published, and our own two for the SSLv2 format. */
import { test } from 'tap';
import { fingerprintHello } from '../../../src/observe/hello/fingerprint.js';
import { offeredVersion } from '../../../src/observe/hello/hello-numbers.js';
import { readHello } from '../../support/hellos.js';
import { vector16, type HelloOptions } from '../../support/test-client.js';

const list16 = (values: readonly number[]): Buffer =>
  vector16(Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 0xff]))));
const list8 = (values: readonly number[]): Buffer => Buffer.from([values.length, ...values]);
const alpn = (...name: number[]): [number, Buffer] => [16, vector16(list8(name))];
const empty = Buffer.alloc(0);

/** The example of the JA4 specification, a Chrome, as it came over the wire: GREASE everywhere, extensions shuffled. */
const CHROME: HelloOptions = {
  version: 0x0303,
  suites: [
    0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035,
  ],
  extensions: [
    [0x1a1a, empty],
    [0x001b, empty],
    [0x0000, vector16(Buffer.from('\0\0\x01a', 'latin1'))],
    [0x0033, empty],
    alpn(0x68, 0x32),
    [0x4469, empty],
    [0x0017, empty],
    [0x002d, empty],
    [0x000d, list16([0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601])],
    [0x0005, empty],
    [0x0023, empty],
    [0x0012, empty],
    [0x002b, list8([0x6a, 0x6a, 3, 4, 3, 3])],
    [0xff01, list8([])],
    [0x000b, list8([0])],
    [0x000a, list16([0x2a2a, 29, 23])],
    [0x0015, empty],
    [0xdada, empty],
  ],
};

test('JA4 is as in the example of its specification', async (t) => {
  t.equal(fingerprintHello(readHello(CHROME)).short, 't13d1516h2_8daaf6152771_e5627efa2ab1');
  const reversed = {
    ...CHROME,
    extensions: [...CHROME.extensions!].reverse(),
    suites: [...CHROME.suites!].reverse(),
  };
  t.equal(
    fingerprintHello(readHello(reversed)).short,
    't13d1516h2_8daaf6152771_e5627efa2ab1',
    'in any order',
  );
  const unsigned = CHROME.extensions!.map(([type, body]) => [type, type === 13 ? empty : body] as const);
  t.equal(
    fingerprintHello(readHello({ ...CHROME, extensions: unsigned })).short,
    't13d1516h2_8daaf6152771_6d807ffa2a79',
    'the list of signature algorithms is left out where there is none',
  );
});

test('JA4 shows the first protocol name as its specification requires', async (t) => {
  const shown = (...name: number[]): string =>
    fingerprintHello(readHello({ extensions: [alpn(...name)] })).short.slice(8, 10);
  t.equal(shown(...Buffer.from('http/1.1')), 'h1');
  t.equal(shown(...Buffer.from('s')), 'ss');
  t.equal(shown(0xab), 'ab');
  t.equal(shown(0xab, 0xcd), 'ad');
  t.equal(shown(0x30, 0xab), '3b');
  t.equal(shown(0x30, 0x31, 0xab, 0xcd), '3d');
  t.equal(shown(0x30, 0xab, 0xcd, 0x31), '01');
  t.equal(shown(), '00');
  t.equal(fingerprintHello(readHello({ extensions: [[16, empty]] })).short.slice(8, 10), '00');
});

test('JA4 of a hello without extensions shows that, and SSLv3 is s3', async (t) => {
  const { short } = fingerprintHello(readHello({ version: 0x0300, suites: [4, 5] }));
  t.match(short, /^ts3i020000_[0-9a-f]{12}_000000000000$/);
  t.match(
    fingerprintHello(readHello({ version: 0x0399 })).short,
    /^t00i/,
    'and a version nobody knows is 00',
  );
});

test('JA3 is as in the examples of its authors', async (t) => {
  const withExtensions = readHello({
    version: 769,
    suites: [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
    extensions: [
      [0, vector16(Buffer.from('\0\0\x01a', 'latin1'))],
      [10, list16([23, 24, 25])],
      [11, list8([0])],
    ],
  });
  t.match(fingerprintHello(withExtensions), {
    kind: 'ja3',
    text: '769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0',
    hash: 'ada70206e40642a3e4461f35503241d5',
  });
  const without = readHello({ version: 769, suites: [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99] });
  t.match(fingerprintHello(without), {
    text: '769,4-5-10-9-100-98-3-6-19-18-99,,,',
    hash: 'de350869b8c85de67a350c8d186f11e6',
  });
});

test('an SSLv2-format hello has a text, its MD5, and a short form with set and order apart', async (t) => {
  const sslv2 = (suites: number[]): HelloOptions => ({
    format: 'sslv2',
    version: 0x0300,
    suites,
    challenge: Buffer.alloc(16, 1),
  });
  const one = fingerprintHello(readHello(sslv2([0x04, 0x010080, 0x05, 0x0a])));
  const other = fingerprintHello(readHello(sslv2([0x05, 0x04, 0x0a, 0x010080])));
  t.match(one, { kind: 'sslv2', text: 'v2,768,000004-010080-000005-00000a,16', hash: /^[0-9a-f]{32}$/ });
  const [counts, set, order] = one.short.split('_');
  t.equal(counts, 'vs3i030116', 'SSLv3, three suites, one kind of SSL 2.0, a challenge of 16 bytes');
  t.equal(other.short.split('_')[0], counts);
  t.equal(other.short.split('_')[1], set, 'the same specs');
  t.not(other.short.split('_')[2], order, 'in another order');
});

test('the version a hello offers is that of supported_versions, whatever GREASE stands there', async (t) => {
  t.equal(offeredVersion(readHello(CHROME)), 0x0304);
  const only = (versions: number[]): HelloOptions => ({
    version: 0x0303,
    extensions: [[43, list8(versions)]],
  });
  t.equal(offeredVersion(readHello(only([0xfa, 0xfa, 3, 2]))), 0x0302);
  t.equal(
    offeredVersion(readHello(only([0xfa, 0xfa]))),
    0x0303,
    'with nothing real in it, the old field counts',
  );
  t.equal(offeredVersion(readHello({ version: 0x0301 })), 0x0301);
});
