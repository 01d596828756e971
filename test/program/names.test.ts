/** Certificates by name: each client gets the one for the name that it asks for, and no session crosses over. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { test, type Test } from 'tap';
import { makeCertificate } from '../support/certificate.js';
import { startMailPath } from '../support/mail-path.js';
import { refusedStart, startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

const ENGINE: ConnectionOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.1',
  ciphers: 'DEFAULT:@SECLEVEL=0',
};
const NATIVE_12: ConnectionOptions = { maxVersion: 'TLSv1.2' };
const NATIVE_13: ConnectionOptions = { minVersion: 'TLSv1.3' };
const PATHS = { engine: ENGINE, 'Node, TLS 1.2': NATIVE_12, 'Node, TLS 1.3': NATIVE_13 };

function certificate(t: Test, name: string, extensions: readonly object[] = []): Table {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-names-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { chainPem, keyPem } = makeCertificate(name, [-1, 30], extensions);
  const [chain, key] = [join(folder, 'one.crt'), join(folder, 'one.key')];
  writeFileSync(chain, chainPem);
  writeFileSync(key, keyPem, { mode: 0o600 });
  return { chain, key };
}

interface Visit {
  /** Of the certificate; undefined where none was shown. */
  readonly subject: string | undefined;
  readonly resumed: boolean;
  /** For the next time. */
  readonly session: Buffer | undefined;
}

/** Until the greeting. @param servername undefined for none */
async function visit(
  program: Program,
  listener: string,
  servername: string | undefined,
  options: ConnectionOptions,
): Promise<Visit> {
  const port = program.ports.get(listener)!;
  const name = servername === undefined ? {} : { servername };
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...name, ...options });
  let session: Buffer | undefined;
  socket.on('session', (given) => (session = given));
  await once(socket, 'data');
  const subject = socket.getPeerX509Certificate()?.subject;
  const resumed = socket.isSessionReused();
  socket.end('QUIT\r\n').resume();
  await once(socket, 'close');
  const { tls } = await program.nextConnection();
  return { subject, resumed: resumed && tls?.resumed === true, session };
}

test('each client gets the certificate for the name it asks for, else the default of the listener', async (t) => {
  const sink = await startTestSink();
  const program = await startProgram(
    proxyConfig({
      listeners: [
        { name: 'all', mode: 'implicit' },
        { name: 'second', mode: 'implicit', 'server-names': ['b.example', 'x.wild.example'] },
      ],
      backend: { address: sink.port },
      certificates: ['a.example', 'b.example', '*.wild.example'].map((name) => certificate(t, name)),
    }),
    2,
  );
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  for (const [path, options] of Object.entries(PATHS)) {
    const subjectOf = async (listener: string, name?: string): Promise<string | undefined> =>
      (await visit(program, listener, name, options)).subject;
    t.equal(await subjectOf('all'), 'CN=a.example', `${path}: no name`);
    t.equal(await subjectOf('all', 'a.example'), 'CN=a.example', path);
    t.equal(await subjectOf('all', 'B.Example'), 'CN=b.example', path);
    t.equal(await subjectOf('all', 'any.wild.example'), 'CN=*.wild.example', path);
    t.equal(await subjectOf('all', 'gone.example'), 'CN=a.example', `${path}: a name that nobody has`);
    t.equal(await subjectOf('second'), 'CN=b.example', `${path}: the first of server-names`);
    t.equal(await subjectOf('second', 'x.wild.example'), 'CN=*.wild.example', path);
    t.equal(await subjectOf('second', 'a.example'), 'CN=b.example', `${path}: not one of server-names`);
  }
  const { serverName } = program.log.findLast(({ event }) => event === 'connection_closed')!['tls'] as Table;
  t.equal(serverName, 'a.example', 'the log has the name that was asked for');
});

test('a session resumes with its own certificates only', async (t) => {
  const path = await startMailPath({
    certificates: [certificate(t, 'a.example'), certificate(t, 'b.example')],
  });
  t.teardown(() => path.stop());
  const { program } = path;
  for (const [name, options] of Object.entries(PATHS)) {
    const { session, resumed } = await visit(program, 'implicit', 'b.example', options);
    t.notOk(resumed);
    const again = (asked?: string): Promise<Visit> =>
      visit(program, 'implicit', asked, { ...options, session: session! });
    t.match(await again('b.example'), { resumed: true }, `${name}: under its own name`);
    t.match(
      await again('a.example'),
      { resumed: false, subject: 'CN=a.example' },
      `${name}: not under another`,
    );
    t.match(await again(), { resumed: false, subject: 'CN=a.example' }, `${name}: nor without any`);
  }
});

test('a name that no certificate has stops the start, with its place', async (t) => {
  const certificates = [certificate(t, 'a.example'), certificate(t, 'b.example')];
  const config = (name: string): string =>
    proxyConfig({ listeners: [{ 'server-names': ['b.example', name] }], certificates });
  t.match(
    await refusedStart(config('c.example')),
    /oldhello\.toml:\d+: listener\[0\]\.server-names: no \[\[certificate\]\] has the name "c\.example"; they have a\.example, b\.example/,
  );
  t.match(
    await refusedStart(config('c example')),
    /oldhello\.toml:\d+: listener\[0\]\.server-names\S*: found "c example"; allowed: a host name such as/,
  );
});

test('a certificate that demands a stapled OCSP response is refused, with what to do', async (t) => {
  // RFC 7633: a SEQUENCE with the INTEGER 5, status_request.
  const mustStaple = { id: '1.3.6.1.5.5.7.1.24', value: '0\x03\x02\x01\x05' };
  const other = { id: '1.3.6.1.5.5.7.1.24', value: '0\x03\x02\x01\x17' };
  const refused = proxyConfig({ certificates: [certificate(t, 'a.example', [mustStaple])] });
  t.match(
    await refusedStart(refused),
    /certificate\[0\]\.chain: \S+one\.crt: has the TLS feature extension of RFC 7633 \(must-staple\).* leave out --must-staple\)/,
  );
  const program = await startProgram(
    proxyConfig({ certificates: [certificate(t, 'a.example', [other])] }),
    1,
  );
  t.equal(await program.stop(), 0, 'another TLS feature does no harm');
});
