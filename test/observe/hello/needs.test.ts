/** What a client needs that current TLS libraries lack, for hellos of every age. */
import { test } from 'tap';
import { NEEDS, needsOf, type Need } from '../../../src/observe/hello/needs.js';
import { capturedHellos, readHello } from '../../support/hellos.js';
import type { HelloOptions } from '../../support/test-client.js';

const ECDHE_ECDSA_AES = 0xc009;
const ECDHE_RSA_AES = 0xc013;
const DHE_RSA_AES = 0x0033;
const RSA_AES = 0x002f;
const RSA_3DES = 0x000a;
const RSA_RC4 = 0x0005;
const RSA_DES = 0x0009;
const schemes = (...list: number[]): [number, Buffer] => [13, Buffer.from([0, list.length, ...list])];

const CASES: readonly (readonly [string, HelloOptions, readonly Need[], string?])[] = [
  ['TLS 1.2 with ECDHE', { version: 0x0303, suites: [ECDHE_RSA_AES], extensions: [schemes(4, 1)] }, []],
  ['TLS 1.3', { version: 0x0303, suites: [0x1301], extensions: [[43, Buffer.from([2, 3, 4])]] }, []],
  ['SSLv3 with RC4', { version: 0x0300, suites: [RSA_RC4, 4] }, ['sslv3', 'rc4', 'static_rsa']],
  [
    'an SSLv2-format hello with TLS 1.0 and AES',
    { format: 'sslv2', version: 0x0301, suites: [ECDHE_RSA_AES, RSA_AES, 0x010080] },
    ['sslv2_hello', 'tls1_0'],
  ],
  ['TLS 1.1 with 3DES', { version: 0x0302, suites: [RSA_3DES] }, ['tls1_1', '3des', 'static_rsa']],
  [
    'RC4 and 3DES, so that either will do',
    { version: 0x0301, suites: [RSA_RC4, RSA_3DES, RSA_DES] },
    ['tls1_0', 'rc4_or_3des', 'static_rsa'],
  ],
  ['single DES', { version: 0x0301, suites: [RSA_DES] }, ['tls1_0', 'des', 'static_rsa']],
  ['static RSA at TLS 1.2, as printers have it', { version: 0x0303, suites: [RSA_AES] }, ['static_rsa']],
  ['DHE and static RSA', { version: 0x0303, suites: [DHE_RSA_AES, RSA_AES] }, ['no_ecdhe']],
  [
    'DHE signed with SHA-1',
    { version: 0x0303, suites: [DHE_RSA_AES], extensions: [schemes(2, 1, 1, 1)] },
    ['dhe', 'sha1_signature'],
  ],
  ['ECDHE without signature_algorithms', { version: 0x0303, suites: [ECDHE_RSA_AES] }, ['sha1_signature']],
  [
    'AES only for a certificate that did not serve it',
    { version: 0x0301, suites: [ECDHE_ECDSA_AES, RSA_RC4] },
    ['tls1_0', 'rc4', 'static_rsa'],
    'RC4-SHA',
  ],
  [
    'the same before it is known what serves it',
    { version: 0x0301, suites: [ECDHE_ECDSA_AES, RSA_RC4] },
    ['tls1_0'],
  ],
  ['only suites with export keys', { version: 0x0301, suites: [3, 6] }, ['tls1_0', 'unserved_suites']],
];

test('what a hello needs is what servers of today lack for it', async (t) => {
  for (const [title, hello, needs, chosen] of CASES) t.same(needsOf(readHello(hello), chosen), needs, title);
  const seen = new Set(CASES.flatMap(([, , needs]) => needs));
  t.same(
    Object.keys(NEEDS).filter((code) => !seen.has(code as Need)),
    [],
    'and every code there is was among them',
  );
});

test('of the captured clients, those of today need nothing and those of yesterday do', async (t) => {
  for (const { client, version, options, hex } of capturedHellos()) {
    if (hex.slice(6, 10) === '0002') continue;
    const needs = needsOf(readHello(Buffer.from(hex, 'hex')));
    const modern = !version.endsWith('OpenSSL 1.0.0m') && (client !== 'OpenSSL' || version.startsWith('3.'));
    const title = `${client} ${version} ${options}: ${needs.join(' ')}`;
    if (
      modern &&
      /default|-tls1_2|^TLSv1\.2|^TLS 1\.2|tls1\.2:/.test(options) &&
      !options.includes('SSLv2Hello')
    )
      t.same(needs, [], title);
    if (client === 'OpenSSL' && version.startsWith('0.9'))
      t.ok(needs.includes('tls1_0') || needs.includes('sslv3'), title);
  }
});
