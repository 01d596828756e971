/** How a hello is described. */
import { test } from 'tap';
import { describeHello } from '../../src/observe/hello-description.js';
import { readHello } from '../support/hellos.js';

const AES128_SHA = 0x002f;
const RC4_MD5 = 0x0004;
const hello = (version: number, suites: readonly number[]): ReturnType<typeof readHello> =>
  readHello({ format: 'sslv2', version, suites: [...suites] });

test('a hello that comes again, with another challenge, is described alike', async (t) => {
  const [first, second] = [hello(0x0301, [AES128_SHA]), hello(0x0301, [AES128_SHA])];
  t.notSame(first.random, second.random);
  t.same(describeHello(second, 'AES128-SHA'), describeHello(first, 'AES128-SHA'));
});

test('one that differs in anything else, or got another suite, is described for itself', async (t) => {
  const described = (version: number, suites: readonly number[], chosen?: string): string =>
    JSON.stringify(describeHello(hello(version, suites), chosen));
  const all = [
    described(0x0301, [AES128_SHA]),
    described(0x0300, [AES128_SHA]),
    described(0x0301, [AES128_SHA, RC4_MD5]),
    described(0x0301, [RC4_MD5, AES128_SHA]),
  ];
  t.equal(new Set(all).size, all.length);
  const both = [0xc009, RC4_MD5];
  t.same(describeHello(hello(0x0301, both), undefined).needs, ['sslv2_hello', 'tls1_0']);
  t.same(
    describeHello(hello(0x0301, both), 'RC4-MD5').needs,
    ['sslv2_hello', 'tls1_0', 'rc4', 'static_rsa'],
    'a suite for the other kind of certificate was no way out',
  );
});
