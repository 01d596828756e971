/** What the log says of certificates at start, and what an admin reads when they cannot be used. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { test, type Test } from 'tap';
import { makeCertificate } from '../support/certificate.js';
import { CLI, startProgram } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

interface Files {
  /** @returns its path */
  put(name: string, text: string, mode?: number): string;
  path(name: string): string;
}

function newFolder(t: Test): Files {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-certificates-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    put(name, text, mode = 0o600) {
      writeFileSync(path(name), text, { mode });
      return path(name);
    },
  };
}

const config = (port: number, certificates: readonly Table[]): string =>
  proxyConfig({ backend: { address: port }, certificates });

test('the log shows each certificate with its days, and warns of those that run out and of keys others may read', async (t) => {
  const files = newFolder(t);
  const dates = { expired: [-30, -1.5], soon: [-69, 20.5], good: [-1, 21.5], early: [1.5, 90] } as const;
  const tables = Object.entries(dates).map(([name, validity]) => {
    const { chainPem, keyPem } = makeCertificate(`${name}.example`, validity);
    const chain = files.put(`${name}.crt`, chainPem, 0o644);
    const key = files.put(`${name}.key`, keyPem, name === 'good' ? 0o644 : 0o600);
    return { chain, key };
  });
  const sink = await startTestSink();
  const program = await startProgram(config(sink.port, tables), 1);
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  const transport = createTransport({
    host: '127.0.0.1',
    port: program.ports.get('mx')!,
    requireTLS: true,
    tls: { rejectUnauthorized: false, servername: 'expired.example' },
  });
  await transport.sendMail({ from: 'a@b.example', to: 'c@d.example', text: 'x' });
  transport.close();
  t.match(
    await program.nextConnection(),
    { outcome: 'completed' },
    'an expired certificate is served all the same',
  );

  const said = (event: string): unknown[] => program.log.filter((line) => line.event === event);
  t.match(said('certificate'), [
    { source: files.path('expired.crt'), keyAlgorithm: 'RSA2048', daysLeft: -2 },
    { subject: 'CN=soon.example', daysLeft: 20 },
    { subject: 'CN=good.example', daysLeft: 21, notAfter: /^\d{4}-\d\d-\d\dT/ },
    { subject: 'CN=early.example', daysLeft: 89 },
  ]);
  t.match(said('certificate_expired'), [{ level: 'error', source: files.path('expired.crt'), daysLeft: -2 }]);
  t.match(said('certificate_expires'), [{ level: 'warn', subject: 'CN=soon.example', daysLeft: 20 }]);
  t.match(said('certificate_not_yet_valid'), [{ level: 'error', subject: 'CN=early.example' }]);
  t.match(said('secret_exposed'), [{ level: 'warn', file: files.path('good.key'), mode: '0644' }]);
});

test('certificates that cannot be used stop the start, with the place in the file and the file they are in', async (t) => {
  const files = newFolder(t);
  const one = makeCertificate('one.example', [-1, 30]);
  const two = makeCertificate('two.example', [-1, 30]);
  const chain = files.put('one.crt', one.chainPem);
  const key = files.put('two.key', two.keyPem);
  const start = (certificate: Table, env: NodeJS.ProcessEnv = {}): string => {
    const file = files.put('oldhello.toml', config(25, [certificate]));
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'serve', '--config', file], {
      encoding: 'utf8',
      env: { ...process.env, CREDENTIALS_DIRECTORY: undefined, ...env },
    });
    t.equal(status, 2);
    return stderr.replaceAll(`${files.path('')}/`, '');
  };
  t.equal(
    start({ chain: 'one.crt', key: 'two.key' }),
    'oldhello: oldhello.toml:17: certificate[0].key: two.key: is not the key of any certificate in one.crt (CN=one.example): both are RSA2048, but do not belong together; give the matching pair\n',
  );
  t.match(
    start({ key, chain: 'gone.crt' }),
    /^oldhello: oldhello\.toml:17: certificate\[0\]\.chain: gone\.crt: cannot be read: there is no such file/,
  );
  t.match(
    start({ chain, key: 'credential:mail.key' }),
    /^oldhello: oldhello\.toml:17: certificate\[0\]\.key: "credential:mail\.key" is for systemd, which did not set/,
  );
  const credentials = { CREDENTIALS_DIRECTORY: files.path('.') };
  t.match(
    start({ chain, key: 'credential:two.key' }, credentials),
    /two\.key: is not the key of any certificate in one\.crt/,
    'a credential of systemd is the file of that name in its folder',
  );
});
