/** What a host hands the engine as a certificate, and what it may not. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'tap';
import { credentialFrom, isKeyOf } from '../../src/tls/index.js';
import { ECDSA_CERTIFICATE } from '../support/ecdsa-credential.js';
import { ECDSA, RSA } from '../support/test-server.js';

/** A certificate in so far as it is asked for anything. */
const withKey = (publicKey: X509Certificate['publicKey']): X509Certificate =>
  ({ publicKey, raw: Buffer.alloc(0), subject: '', subjectAltName: undefined }) as unknown as X509Certificate;

test('a certificate with a key that no suite can use is refused, and so is none at all', async (t) => {
  t.throws(() => credentialFrom([]), /the certificate chain is empty/);
  for (const { publicKey } of [
    generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('x25519'),
  ]) {
    t.throws(() => credentialFrom([withKey(publicKey)]), /neither RSA nor ECDSA on P-256 or P-384/);
  }
});

test('a key belongs to one certificate', async (t) => {
  const certificate = new X509Certificate(ECDSA_CERTIFICATE);
  t.equal(isKeyOf(ECDSA.key, certificate), true);
  t.equal(isKeyOf(RSA.key, certificate), false);
});
