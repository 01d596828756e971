/** The TLSA records that `oldhello check` prints are those that OpenSSL computes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { checkCertificates } from '../../src/check/certificates.js';
import type { Finding } from '../../src/check/finding.js';
import { parseConfig } from '../../src/config/load.js';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { ECDSA_CERTIFICATE, ECDSA_KEY } from '../support/ecdsa-credential.js';
import { proxyConfig, type ProxyConfig, type Table } from '../support/proxy-config.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'oldhello-dane-'));
const RSA = selfSignedCredential(FOLDER, 'mx.example.com');
writeFileSync(join(FOLDER, 'ecdsa.crt'), ECDSA_CERTIFICATE);
writeFileSync(join(FOLDER, 'ecdsa.key'), ECDSA_KEY);
const RSA_FILES: Table = { chain: 'self-signed.crt', key: 'self-signed.key' };
const ECDSA_FILES: Table = { chain: 'ecdsa.crt', key: 'ecdsa.key' };

function dane(certificates: readonly Table[], more: Partial<ProxyConfig> = {}): Finding[] {
  const server = { hostname: 'mx.example.com', ...more.server };
  const config = parseConfig(proxyConfig({ ...more, server, certificates }), join(FOLDER, 'oldhello.toml'));
  return checkCertificates(config, new Date()).filter(({ check }) => check === 'dane');
}

/** SHA-256 of the public key, in hex. */
function digestByOpenssl(pem: string): string {
  const key = execFileSync('openssl', ['x509', '-noout', '-pubkey'], { input: pem });
  const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: key });
  return execFileSync('openssl', ['dgst', '-sha256', '-r'], { input: der }).toString().slice(0, 64);
}

test('each certificate has its record, and with two keys both are to be published', async (t) => {
  const found = dane([RSA_FILES, ECDSA_FILES]);
  t.same(
    found.map(({ subject, message }) => [subject, message]),
    [
      ['certificate 1', `_25._tcp.mx.example.com. IN TLSA 3 1 1 ${digestByOpenssl(RSA.chainPem)}`],
      ['certificate 2', `_25._tcp.mx.example.com. IN TLSA 3 1 1 ${digestByOpenssl(ECDSA_CERTIFICATE)}`],
    ],
  );
  t.match(found.at(-1)!.advice, [/publish the records of all certificates/]);
});

test('with one key there is one record and no advice about others', async (t) => {
  t.match(dane([RSA_FILES]), [{ advice: [] }]);
  const same = dane([RSA_FILES, { ...RSA_FILES, use: 'legacy' }]);
  t.equal(new Set(same.map(({ message }) => message)).size, 1, 'the legacy certificate has the same key');
  t.same(
    same.flatMap(({ advice }) => advice),
    [],
  );
});

test('only servers that take mail from other servers have records', async (t) => {
  t.same(dane([RSA_FILES], { server: { hostname: 'localhost' } }), []);
  t.same(dane([RSA_FILES], { listeners: [{ mode: 'implicit' }] }), []);
  t.same(dane([RSA_FILES], { listeners: [{ address: '127.0.0.1:587' }] }), []);
});
