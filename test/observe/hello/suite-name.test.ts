/** Names of cipher suites, against the table of the engine and those of the OpenSSL installed here. */
import { spawnSync } from 'node:child_process';
import { test } from 'tap';
import { sslv2KindName, suiteName, unservedSuiteName } from '../../../src/observe/hello/suite-name.js';
import { CIPHER_SUITES } from '../../../src/tls/index.js';
import { hasPeer } from '../../support/peers/require-peer.js';

test('a suite that is served has one name, that of OpenSSL', async (t) => {
  for (const { id, opensslName } of CIPHER_SUITES) {
    t.equal(unservedSuiteName(id), undefined, opensslName);
    t.equal(suiteName(id), opensslName);
  }
});

test('one that is not has that of the registry, and one without a name its number', async (t) => {
  t.equal(suiteName(0x0038), 'TLS_DHE_DSS_WITH_AES_256_CBC_SHA');
  t.equal(suiteName(0xfeff), 'SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA');
  t.equal(suiteName(0x1301), 'TLS_AES_128_GCM_SHA256');
  t.equal(suiteName(0xabcd), '0xabcd');
  t.equal(sslv2KindName(0x020080), 'SSL_CK_RC4_128_EXPORT40_WITH_MD5');
  t.equal(sslv2KindName(0x0a0b0c), '0x0a0b0c');
});

test('the names are those of OpenSSL', async (t) => {
  const listed = spawnSync('openssl', ['ciphers', '-V', '-stdname', 'ALL:eNULL:@SECLEVEL=0'], {
    encoding: 'utf8',
  });
  if (!hasPeer(t, 'openssl', listed.status === 0 ? undefined : 'needs openssl')) return;
  let compared = 0;
  for (const [, high, low, name] of listed.stdout.matchAll(/0x(..),0x(..) - (\w+)/g)) {
    const known = unservedSuiteName(Number.parseInt(high! + low!, 16));
    if (known === undefined) continue;
    compared += 1;
    t.equal(known, name);
  }
  t.ok(compared > 50, `${compared} compared`);
});
