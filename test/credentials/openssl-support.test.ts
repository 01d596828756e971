/** What the machine's OpenSSL is asked for before anybody connects. */
import { test } from 'tap';
import { explainMissing, missingPrimitives } from '../../src/credentials/openssl-support.js';
import type { LoadedCredential } from '../../src/credentials/credentials.js';
import { CIPHER_SUITES, PRESETS, type Policy } from '../../src/tls/index.js';
import { ECDSA, RSA } from '../support/test-server.js';

const loaded = [RSA, ECDSA].map((held) => ({ ...held, source: 'a.crt' })) as LoadedCredential[];

test('nothing is missing where the tests run, for any preset and every suite', async (t) => {
  const everything: Policy = { ...PRESETS.ancient, cipherSuites: CIPHER_SUITES };
  for (const policy of [...Object.values(PRESETS), everything]) {
    t.same(missingPrimitives(policy, loaded), []);
  }
});

test('what is missing is named with what needs it, and with the settings that do without', async (t) => {
  const [md5, des] = [
    { name: 'MD5', neededFor: 'TLSv1.1 and older', without: 'min-version = "TLSv1.2"', attempt: () => 0 },
    { name: 'des-ede3-cbc', neededFor: 'DES-CBC3-SHA', without: 'triple-des = false', attempt: () => 0 },
  ];
  t.match(
    explainMissing([md5, des]),
    /refuses MD5 \(for TLSv1.1 and older\), des-ede3-cbc \(for DES-CBC3-SHA\); set min-version = "TLSv1.2" and triple-des = false, or allow it/,
  );
  t.match(explainMissing([{ ...md5, without: undefined }]), /\(for TLSv1.1 and older\); allow it/);
});
