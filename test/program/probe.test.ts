/** `oldhello probe` against servers we did not write, and against ourselves. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import type { ProbedClientCode } from '../../src/probe/old-clients.js';
import type { ProbeResult } from '../../src/probe/probe-connection.js';
import { startMailPath } from '../support/mail-path.js';
import { BACKEND_GUIDES } from '../../tools/docs/backend-guides.js';
import { eximLack, startExim } from '../support/peers/exim.js';
import { missing } from '../support/peers/job-client.js';
import { postfixLack, startPostfix } from '../support/peers/postfix.js';
import {
  makeCertificate,
  startGo,
  startJdk,
  startNode,
  startOpenssl,
  startParrot,
} from '../support/peers/probe-servers.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { CLI } from '../support/program.js';

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'needs the openssl command';
const noGo = spawnSync('go', ['version']).status === 0 ? undefined : 'needs Go';

interface Probed {
  readonly code: number | null;
  readonly survives: boolean;
  readonly verdict: string;
  readonly clients: readonly ProbeResult[];
  served(): ProbedClientCode[];
}

async function run(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, 'probe', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

async function probe(port: number, ...options: string[]): Promise<Probed> {
  const { code, stdout } = await run([`127.0.0.1:${port}`, '--json', ...options]);
  const found = JSON.parse(stdout) as Omit<Probed, 'code' | 'served'>;
  const served = (): ProbedClientCode[] =>
    found.clients.filter(({ outcome }) => outcome === 'served').map(({ client }) => client);
  return { code, ...found, served };
}

const MODERN: ProbedClientCode[] = ['tls1_2', 'tls1_3'];

test('OpenSSL 3 as it is shipped serves none of the old ones; configured to, those it still has code for', async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl)) return;
  const certificate = makeCertificate();
  const shipped = await startOpenssl(certificate, []);
  t.teardown(() => shipped.stop());
  const first = await probe(shipped.port, '--implicit');
  t.equal(first.code, 1);
  t.same(first.served(), MODERN);
  t.match(
    first.clients.find(({ client }) => client === 'tls1_2_static_rsa'),
    { outcome: 'refused' },
  );
  const lenient = await startOpenssl(certificate, ['-cipher', 'ALL:@SECLEVEL=0']);
  t.teardown(() => lenient.stop());
  const second = await probe(lenient.port, '--implicit');
  t.equal(second.code, 1);
  t.same(second.served(), [
    'sslv2_tls1_0',
    'sslv2_tls1_2',
    'tls1_0',
    'tls1_1',
    'tls1_2_static_rsa',
    'tls1_2_without_signatures',
    ...MODERN,
  ]);
});

test("Go's crypto/tls refuses SSLv2-format hellos with protocol_version", async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl) || !hasPeer(t, 'go', noGo)) return;
  const server = await startGo(makeCertificate());
  t.teardown(() => server.stop());
  const found = await probe(server.port, '--implicit');
  t.equal(found.code, 1);
  for (const client of ['sslv2_sslv3', 'sslv2_tls1_0', 'sslv2_tls1_2', 'sslv3'] as const) {
    const result = found.clients.find((one) => one.client === client);
    t.match(result, { outcome: 'refused', alert: 'protocol_version' }, client);
  }
  t.ok(MODERN.every((client) => found.served().includes(client)));
});

test('the JDK with everything switched on serves all but TLS 1.2 without signature_algorithms', async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const server = await startJdk(makeCertificate());
  t.teardown(() => server.stop());
  const found = await probe(server.port, '--implicit');
  t.match(found, { code: 1, survives: false, verdict: /^3 of 10 kinds of old clients are not served/ });
  t.match(found.clients[0], { client: 'sslv2_sslv3', version: 'SSLv3' });
  const refused = found.clients.filter(({ outcome }) => outcome !== 'served').map(({ client }) => client);
  t.same(refused, ['sslv2_tls1_2', 'tls1_2_static_rsa', 'tls1_2_without_signatures']);
});

test('Node serves the clients of today only', async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl)) return;
  const { cert, key } = makeCertificate();
  const server = await startNode({ cert: readFileSync(cert), key: readFileSync(key) });
  t.teardown(() => server.stop());
  const found = await probe(server.port, '--implicit');
  t.equal(found.code, 1);
  t.same(found.served(), MODERN);
});

test('Postfix behind STARTTLS serves SSLv2-format hellos, and neither SSLv3 nor RC4 nor 3DES', async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl) || !hasPeer(t, 'postfix', postfixLack())) return;
  const { cert, key } = makeCertificate();
  const postfix = await startPostfix({
    smtpd_upstream_proxy_protocol: '',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: cert,
    smtpd_tls_key_file: key,
  });
  t.teardown(() => postfix.stop());
  const found = await probe(postfix.port);
  t.equal(found.code, 1);
  const served = found.served();
  for (const client of ['sslv2_tls1_0', 'tls1_0', ...MODERN] as const) t.ok(served.includes(client), client);
  for (const client of ['sslv3', 'tls1_0_rc4', 'tls1_0_3des'] as const)
    t.notOk(served.includes(client), client);
});

test('Exim with GnuTLS behind STARTTLS serves SSLv2-format hellos, and not SSLv3', async (t) => {
  if (!hasPeer(t, 'exim', eximLack())) return;
  const exim = await startExim({ proxied: false });
  t.teardown(() => exim.stop());
  const port = Number(/:(\d+)"/.exec(exim.backend(BACKEND_GUIDES.Exim.setups.starttls))![1]);
  const found = await probe(port);
  t.equal(found.code, 1);
  const served = found.served();
  for (const client of ['sslv2_tls1_0', 'tls1_0', ...MODERN] as const) t.ok(served.includes(client), client);
  t.notOk(served.includes('sslv3'), 'sslv3');
});

test('oldhello serves every one, and still offers the prober STARTTLS', async (t) => {
  const path = await startMailPath();
  t.teardown(() => path.stop());
  for (const round of [1, 2]) {
    const found = await probe(path.port('starttls'));
    t.match(found, { code: 0, survives: true, verdict: /does not need oldhello/ }, `round ${round}`);
  }
  const outcomes: string[] = [];
  for (let session = 0; session < 12; session += 1)
    outcomes.push((await path.program.nextConnection()).outcome);
  t.equal(outcomes.filter((outcome) => outcome === 'peer_alert').length, 10, 'it ends with user_canceled');
  t.ok(outcomes.includes('native_tls_failed') && outcomes.includes('client_gone'), "and with Node's TLS too");
  t.match(await probe(path.port('implicit'), '--implicit'), { code: 0 });
  const { stdout } = await run([`127.0.0.1:${path.port('starttls')}`]);
  t.match(stdout, /\+ old Java mailers.*\(SSLv2-format hello, TLS 1\.0\): TLSv1 AES128-SHA: fine\n/);
});

test('a server that cannot be reached is reported with the next step, and wrong usage with exit code 2', async (t) => {
  const server = await startParrot(Buffer.alloc(0), true);
  server.stop();
  const closed = await run([`127.0.0.1:${server.port}`]);
  t.match(closed, {
    code: 1,
    stdout: /no program listens there \(ECONNREFUSED\)\. Next step: check that the server runs/,
  });
  t.notMatch(closed.stdout, /oldhello/);
  for (const where of ['a:b:c', 'host:0', 'host:70000', '[host]:25', '']) {
    t.match(await run([where]), { code: 2, stderr: /is no HOST\[:PORT\]/ }, where);
  }
  t.match(await run([]), { code: 2, stderr: /probe takes one HOST/ });
  t.match(await run(['one', 'two']), { code: 2 });
});
