/** Published answers for what node:crypto does not compute by itself: RC4, the PRFs, and what SSLv3 derives. */
import { createHash } from 'node:crypto';
import { test } from 'tap';
import { prfTls10, prfTls12 } from '../../../src/tls/crypto/prf.js';
import { Rc4 } from '../../../src/tls/crypto/rc4.js';
import { ssl3Expand, ssl3Mac, ssl3VerifyData } from '../../../src/tls/crypto/ssl3.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const counting = (from: number, to: number): Buffer =>
  Buffer.from(Array.from({ length: to - from }, (_, index) => from + index));

/** RFC 6229, 2: key, then the keystream at some offsets. */
const RC4_STREAMS = [
  [
    '0102030405',
    [
      [0, 'b2396305f03dc027ccc3524a0a1118a8'],
      [16, '6982944f18fc82d589c403a47a0d0919'],
      [240, '28cb1132c96ce286421dcaadb8b69eae'],
    ],
  ],
  [
    '0102030405060708090a0b0c0d0e0f10',
    [
      [0, '9ac7cc9a609d1ef7b2932899cde41b97'],
      [16, '5248c4959014126a6e8a84f11d1a9e1c'],
      [240, '065902e4b620f6cc36c8589f66432f2b'],
    ],
  ],
  ['ebb46227c6cc8b37641910833222772a', [[0, '720c94b63edf44e131d950ca211a5a30']]],
] as const;

test('RC4 gives the keystream of RFC 6229, however it is asked for', async (t) => {
  for (const [key, streams] of RC4_STREAMS) {
    for (const chunk of [1, 7, 61, 256]) {
      const rc4 = new Rc4(hex(key));
      const stream = Buffer.alloc(512);
      for (let at = 0; at < stream.length; at += chunk) {
        const piece = stream.subarray(at, at + chunk);
        rc4.crypt(piece);
      }
      for (const [offset, expected] of streams) {
        const name = `${key} at ${offset}, by ${chunk}`;
        t.equal(stream.toString('hex', offset, offset + expected.length / 2), expected, name);
      }
    }
  }
});

/** Of the vectors that circulated on the IETF's TLS list for the PRF of TLS 1.2. */
const PRF_VECTORS = [
  {
    hash: 'sha256',
    secret: '9bbe436ba940f017b17652849a71db35',
    seed: 'a0ba9f936cda311827a6f796ffd5198c',
    output:
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af' +
      '0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701' +
      '87347b66',
  },
  {
    hash: 'sha384',
    secret: 'b80b733d6ceefcdc71566ea48e5567df',
    seed: 'cd665cf6a8447dd6ff8b27555edb7465',
    output:
      '7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0' +
      'e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425' +
      '9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070' +
      '3d73e56f',
  },
] as const;

test('the PRF of TLS 1.2 gives its published answers (RFC 5246, 5)', async (t) => {
  for (const { hash, secret, seed, output } of PRF_VECTORS) {
    const length = output.length / 2;
    t.equal(prfTls12(hash, hex(secret), 'test label', hex(seed), length).toString('hex'), output, hash);
    t.equal(
      prfTls12(hash, hex(secret), 'test label', hex(seed), 12).toString('hex'),
      output.slice(0, 24),
      'and the beginning of it where less is asked for',
    );
  }
});

test('the PRF of TLS 1.0 and 1.1 gives its published answer (RFC 2246, 5)', async (t) => {
  const output =
    'd3d4d1e349b5d515044666d51de32bab258cb521b6b053463e354832fd976754443bcf9a296519bc289abcbc1187e4eb' +
    'd31e602353776c408aafb74cbc85eff69255f9788faa184cbb957a9819d84a5d7eb006eb459d3ae8de9810454b8b2d8f' +
    '1afbc655a8c9a013';
  const actual = prfTls10(Buffer.alloc(48, 0xab), 'PRF Testvector', Buffer.alloc(64, 0xcd), 104);
  t.equal(actual.toString('hex'), output);
});

test('the PRF of TLS 1.0 refuses a seed that it has no room for, and does not cut it', async (t) => {
  const secret = counting(0, 48);
  t.equal(prfTls10(secret, 'x', Buffer.alloc(255), 12).length, 12);
  for (const length of [256, 257, 1000]) {
    t.throws(() => prfTls10(secret, 'x', Buffer.alloc(length), 12), RangeError);
  }
});

test('SSLv3 expands secrets and computes MACs as tlslite-ng 0.8 does (RFC 6101, 5.2.3.1, 6.1 and 6.2.2)', async (t) => {
  t.equal(
    ssl3Expand(counting(0, 48), counting(100, 164), 104).toString('hex'),
    '1d951449ec9a55924fd25a084453fa6ca42dda4dd43958a820699ee5b6cc833f3dd559abf64d2a6194cd998b25a77583' +
      '6d2d8458267ea545e0015e34811dfe8a4e6f2a5ba63bd0a852f9ed6daefc1e5dcb5caa5bb4116696e412049c7d8c28f6' +
      '7e6c40b614513ab4',
  );
  const header = hex('0000000000000005 17 0300 000b');
  const data = Buffer.from('hello world');
  t.equal(ssl3Mac('md5', counting(0, 16), header, data).toString('hex'), 'a7e77ab5daee2c4fc46f1ff9cc63ad7b');
  t.equal(
    ssl3Mac('sha1', counting(0, 20), header, data).toString('hex'),
    'cad9f3e1880afc8f620b74864e93436cdb04aa55',
  );
});

test("SSLv3's Finished is as tlslite-ng 0.8 computes it (RFC 6101, 5.6.9)", async (t) => {
  const messages = Buffer.from('all handshake messages so far');
  for (const [sender, expected] of SSL3_FINISHED) {
    const [md5, sha1] = [createHash('md5').update(messages), createHash('sha1').update(messages)];
    t.equal(ssl3VerifyData(counting(0, 48), md5, sha1, sender).toString('hex'), expected, sender);
  }
});

const SSL3_FINISHED = [
  ['client', '1f0a00890601f3c98e51cbf11b69494d114fb7bbb79083320f9d723bdc2c8e4331142747'],
  ['server', '788ee96de79835e9a4670e7403866331cbc25fbab69464c661d123aa25621fe81403a0fa'],
] as const;
