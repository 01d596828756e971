/** What `oldhello check` says of certificates and keys that old clients would stumble over. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { test } from 'tap';
import { parseConfig } from '../../src/config/load.js';
import { checkCertificates } from '../../src/check/certificates.js';
import { ECDSA_CERTIFICATE, ECDSA_KEY } from '../support/ecdsa-credential.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

interface Made {
  readonly pem: string;
  readonly keyPem: string;
  readonly name: string;
  readonly key: forge.pki.rsa.PrivateKey;
}

const NOW = new Date('2030-06-15T12:00:00Z');

/** Days are counted from NOW. */
function make(name: string, from: number, until: number, issuer?: Made): Made {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyPem = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const key = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '0101';
  certificate.validity.notBefore = new Date(NOW.getTime() + from * 86_400_000);
  certificate.validity.notAfter = new Date(NOW.getTime() + until * 86_400_000);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer?.name ?? name }]);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: issuer === undefined },
    { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
  ]);
  certificate.sign(issuer?.key ?? key, forge.md.sha256.create());
  return { pem: forge.pki.certificateToPem(certificate), keyPem, name, key };
}

interface Files {
  readonly chain: string;
  readonly key: string;
  readonly mode?: number;
  readonly use?: string;
}

/** `verdict: message` of each finding. */
function check(files: readonly Files[], tls: Table = {}): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-certificates-'));
  const tables = files.map(({ chain, key, mode = 0o600, use = 'all' }, index) => {
    writeFileSync(join(folder, `${index}.crt`), chain);
    writeFileSync(join(folder, `${index}.key`), key);
    chmodSync(join(folder, `${index}.key`), mode);
    return { chain: `${index}.crt`, key: `${index}.key`, use };
  });
  const config = parseConfig(
    proxyConfig({ server: { hostname: 'mx.example' }, certificates: tables, tls }),
    join(folder, 'oldhello.toml'),
  );
  const findings = checkCertificates(config, NOW).filter((one) => one.check === 'certificate');
  return findings.map(({ verdict, message }) => `${verdict}: ${message.replaceAll(`${folder}/`, '')}`);
}

const root = make('root.example', -100, 1000);
const leaf = make('mx.example', -1, 100, root);

test('a chain in order, for the right name, with a key for its owner only, is good', async (t) => {
  t.same(check([{ chain: leaf.pem + root.pem, key: leaf.keyPem }]), [
    'good: RSA2048, signed with RSA-SHA256, valid until 2030-09-23',
  ]);
});

test('the validity is reported: expired, not yet valid, expiring soon', async (t) => {
  const of = (from: number, until: number): string[] => {
    const { pem, keyPem } = make('mx.example', from, until);
    return check([{ chain: pem, key: keyPem }]);
  };
  t.same(of(-10, -1), ['bad: 0.crt: it expired on 2030-06-14']);
  t.same(of(1, 10), ['bad: 0.crt: it is not valid before 2030-06-16']);
  t.same(of(-1, 13), [
    'good: RSA2048, signed with RSA-SHA256, valid until 2030-06-28',
    'warning: 0.crt: it expires in 13 days',
  ]);
});

test('a chain in the wrong order is bad, and names the certificates', async (t) => {
  const other = make('other.example', -1, 10);
  t.same(check([{ chain: leaf.pem + other.pem + root.pem, key: leaf.keyPem }]), [
    'bad: in 0.crt, certificate 2 did not sign certificate 1',
  ]);
  t.match(check([{ chain: root.pem + leaf.pem, key: leaf.keyPem }]), [
    /^bad: in 0\.crt, certificate 2 did not/,
  ]);
});

test('a key that belongs to another certificate, or that everybody can read, is bad', async (t) => {
  t.match(
    check([{ chain: leaf.pem, key: root.keyPem }])[0],
    /^bad: 0\.key: is not the key of any certificate/,
  );
  t.same(check([{ chain: leaf.pem + root.pem, key: leaf.keyPem, mode: 0o644 }]), [
    'bad: other users than the service can read 0.key (mode 0644)',
  ]);
  t.match(check([{ chain: leaf.pem, key: leaf.keyPem, mode: 0o640 }]), [/^good/]);
});

test('old clients need an RSA certificate that is for them', async (t) => {
  const files = { chain: ECDSA_CERTIFICATE, key: ECDSA_KEY };
  const lack = 'bad: none has an RSA key, and most old clients support no other';
  t.equal(check([files]).at(-1), lack);
  t.equal(check([files, { chain: leaf.pem, key: leaf.keyPem, use: 'modern' }]).at(-1), lack);
  t.notOk(check([files, { chain: leaf.pem, key: leaf.keyPem }]).includes(lack));
  t.notOk(check([files], { profile: 'intermediate' }).includes(lack));
});

test('no certificate at all is a warning', async (t) => {
  t.match(check([]), [/^warning: none is configured/]);
});
