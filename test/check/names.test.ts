/** What `oldhello check` says of the names of certificates and listeners. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { checkNames } from '../../src/check/names.js';
import { parseConfig } from '../../src/config/load.js';
import { makeCertificate } from '../support/certificate.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

/** `verdict subject: message` of each finding. @param certificates by name, with their use */
function check(
  t: Test,
  certificates: Readonly<Record<string, string>>,
  listeners: readonly Table[],
): string[] {
  const folder = t.testdir();
  const tables = Object.entries(certificates).map(([name, use], index) => {
    const { chainPem, keyPem } = makeCertificate(name, [-1, 30]);
    writeFileSync(join(folder, `${index}.crt`), chainPem);
    writeFileSync(join(folder, `${index}.key`), keyPem, { mode: 0o600 });
    return { chain: `${index}.crt`, key: `${index}.key`, use };
  });
  const config = parseConfig(
    proxyConfig({ server: { hostname: 'MX.example' }, certificates: tables, listeners }),
    join(folder, 'oldhello.toml'),
  );
  return checkNames(config).map(({ verdict, subject, message }) => `${verdict} ${subject}: ${message}`);
}

test('each name is shown with its certificates, and the default name of each listener', async (t) => {
  t.same(
    check(t, { 'mx.example': 'all', 'MX.example': 'legacy', '*.imap.example': 'modern' }, [
      { name: 'mx' },
      { name: 'imap', address: '127.0.0.1:1', 'server-names': ['A.imap.example', 'mx.example'] },
    ]),
    [
      'good name mx.example: certificate 1 (RSA2048), certificate 2 (RSA2048, legacy)',
      'good name *.imap.example: certificate 3 (RSA2048, modern)',
      'good name a.imap.example: certificate 3 (RSA2048, modern)',
      'good listener mx: clients that request no name or another one get the certificates for mx.example',
      'good listener imap: clients that request no name or another one get the certificates for a.imap.example',
    ],
  );
});

test('a name that no certificate has is reported, and the hostname in [server] is one', async (t) => {
  t.same(check(t, { 'other.example': 'all' }, [{ 'server-names': ['other.example', 'gone.example'] }]), [
    'good name other.example: certificate 1 (RSA2048)',
    'good listener mx: clients that request no name or another one get the certificates for other.example',
    'bad listener mx: no certificate has the name gone.example',
    'warning certificates: none is for "MX.example", the hostname in [server]',
  ]);
});
