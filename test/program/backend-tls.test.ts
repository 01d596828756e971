/** Backends with TLS of their own: their mail arrives encrypted, and clients of today keep the backend's own TLS. */
import { createHash } from 'node:crypto';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createTransport } from 'nodemailer';
import { test, type Test } from 'tap';
import { makeMessage } from '../support/message.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig, type Table } from '../support/proxy-config.js';
import { SmtpClient } from '../support/smtp-client.js';
import { startTlsBackend, type TlsBackend } from '../support/tls-backend.js';
import { talk } from '../support/talk.js';

type Mode = 'starttls' | 'implicit';

function startProxy(
  backend: TlsBackend,
  keys: Table,
  {
    mode = 'starttls',
    limits,
    listener,
    server,
  }: Pick<ProxyConfig, 'limits' | 'server'> & { listener?: Table; mode?: Mode } = {},
): Promise<Program> {
  return startProgram(
    proxyConfig({
      ...(server && { server }),
      listeners: [{ name: 'clients', mode, ...listener }],
      backend: { address: backend.port, identity: 'proxy-v1', ...keys },
      tls: { profile: 'ancient' },
      ...(limits && { limits }),
    }),
    1,
  );
}

const pinOf = ({ certificate }: TlsBackend): string =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');

interface Login {
  readonly user: string;
  readonly pass: string;
}

/** Delivers with Node's TLS. @param trusted the one certificate that will do; absent: any */
async function deliver(program: Program, mode: Mode, trusted?: TlsBackend, auth?: Login): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: program.ports.get('clients')!,
    secure: mode === 'implicit',
    requireTLS: mode === 'starttls',
    name: 'modern.example',
    localAddress: '127.0.0.77',
    ...(auth && { auth }),
    tls: {
      servername: 'backend.example',
      rejectUnauthorized: trusted !== undefined,
      ...(trusted && { ca: [String(trusted.certificate)] }),
    },
  });
  try {
    const envelope = { from: 'modern@new.example', to: 'r@backend.example' };
    await transport.sendMail({ ...envelope, subject: 'subject', text: 'text' });
  } finally {
    transport.close();
  }
}

/** Delivers with the JDK, in an SSLv2-format hello. */
async function deliverOld(t: Test, program: Program, mode: Mode, protocol: string): Promise<void> {
  const client = startJobClient('jdk');
  const answer = await client.run({
    kind: 'mail',
    port: program.ports.get('clients')!,
    mode,
    protocols: `SSLv2Hello,${protocol}`,
    ciphers: 'SSL_RSA_WITH_RC4_128_MD5',
    helo: 'old.example',
    from: 'old@old.example',
    to: 'r@backend.example',
    file: makeMessage(100_000).file,
  });
  client.close();
  t.match(answer, { ok: true, protocol });
}

function stopAfter(t: Test, backend: TlsBackend, program: Program): void {
  t.teardown(async () => {
    await program.stop();
    backend.close();
  });
}

for (const mode of ['starttls', 'implicit'] as const) {
  test(`bridge, ${mode}: clients of today reach the TLS of the backend itself`, async (t) => {
    const backend = await startTlsBackend(mode);
    const program = await startProxy(backend, { tls: 'bridge' }, { mode });
    stopAfter(t, backend, program);
    await deliver(program, mode, backend, { user: 'anna', pass: 'secret' });
    t.match(await backend.next(), { client: '127.0.0.77', tls: 'TLSv1.3', user: 'anna' });
    t.match(await program.nextConnection(), {
      outcome: 'completed',
      tls: { path: 'passthrough', version: 'TLSv1.3', suite: /^TLS_/ },
    });
  });

  test(`bridge, ${mode}: old clients end at the proxy, which goes on in modern TLS`, async (t) => {
    if (!hasPeer(t, 'JDK', missing('jdk'))) return;
    const backend = await startTlsBackend(mode);
    const program = await startProxy(backend, { tls: 'bridge', 'tls-pin': pinOf(backend) }, { mode });
    stopAfter(t, backend, program);
    for (const protocol of ['SSLv3', 'TLSv1']) {
      await deliverOld(t, program, mode, protocol);
      t.match(await backend.next(), { from: 'old@old.example', helo: 'old.example', tls: 'TLSv1.3' });
      t.match(await program.nextConnection(), {
        outcome: 'completed',
        hello: { format: 'sslv2' },
        tls: { path: 'engine', version: protocol },
      });
    }
  });

  for (const tls of ['starttls', 'implicit'] as const) {
    test(`a backend with ${tls} TLS takes mail and logins from ${mode} clients`, async (t) => {
      const backend = await startTlsBackend(tls);
      const trust = { 'tls-ca': backend.certificateFile, 'tls-name': 'backend.example' };
      const program = await startProxy(backend, { tls, ...trust }, { mode });
      stopAfter(t, backend, program);
      for (const round of [1, 2, 3]) {
        await deliver(program, mode, undefined, { user: 'anna', pass: 'secret' });
        const expected = { client: '127.0.0.77', tls: 'TLSv1.3', user: 'anna' };
        t.match(await backend.next(), expected, `message ${round}`);
        t.match(await program.nextConnection(), { outcome: 'completed', tls: { path: 'native' } });
      }
    });
  }
}

test('the trusted authorities are read with the configuration, also for a worker that starts later', async (t) => {
  const backend = await startTlsBackend('starttls');
  const trust = { 'tls-ca': backend.certificateFile, 'tls-name': 'backend.example' };
  const program = await startProxy(backend, { tls: 'starttls', ...trust }, { server: { workers: 2 } });
  stopAfter(t, backend, program);
  await program.next('started');
  writeFileSync(backend.certificateFile, '');
  const children = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8');
  const workers = children.match(/\d+/g)!;
  for (const pid of workers) process.kill(Number(pid), 'SIGKILL');
  for (let left = workers.length; left > 0; left -= 1) await program.next('worker_lost');
  await deliver(program, 'starttls');
  t.match(await program.nextConnection(), { outcome: 'completed' });
  program.signal('SIGHUP');
  const { problems } = await program.next('reload_failed');
  t.match(problems, [/^.*:\d+: backend\[0\]\.tls-ca: .*: holds no PEM certificate$/]);
  t.match(problems, [new RegExp(quote(backend.certificateFile))]);
  await deliver(program, 'starttls');
  t.match(await program.nextConnection(), { outcome: 'completed' }, 'all is as it was');
});

test('a backend that shows another certificate gets no mail, and the log has the key to set', async (t) => {
  const backend = await startTlsBackend('starttls');
  for (const [keys, explanation] of [
    [{ tls: 'starttls' }, /self-signed certificate\. What to do: set tls-ca, tls-name or tls-pin/],
    [{ tls: 'starttls', 'tls-ca': backend.certificateFile }, /tls-name/],
    [
      { tls: 'starttls', 'tls-pin': `${'A'.repeat(43)}=` },
      new RegExp(`has the pin ${quote(pinOf(backend))}`),
    ],
  ] as const) {
    const program = await startProxy(backend, keys);
    await t.rejects(deliver(program, 'starttls'), { message: /421/ });
    t.match(await program.nextConnection(), {
      outcome: 'backend_failed',
      reason: 'backend_tls_untrusted',
      explanation,
    });
    await program.stop();
  }
  backend.close();
});

test('a backend without STARTTLS is a failure with a reason of its own', async (t) => {
  const backend = await startTlsBackend('none');
  const program = await startProxy(backend, { tls: 'starttls' });
  stopAfter(t, backend, program);
  await t.rejects(deliver(program, 'starttls'), { message: /421/ });
  t.match(await program.nextConnection(), { outcome: 'backend_failed', reason: 'backend_no_starttls' });
});

test('nobody is offered a login in clear, whatever the TLS between proxy and backend', async (t) => {
  const backend = await startTlsBackend('implicit');
  const keys = { tls: 'implicit', 'tls-pin': pinOf(backend) };
  const strict = await startProxy(backend, keys);
  const [, hidden] = await talk(strict.ports.get('clients')!, ['EHLO clear.example']);
  t.notMatch(hidden, /AUTH/);
  t.match(hidden, /STARTTLS/);
  await strict.stop();
  const lenient = await startProxy(backend, keys, { listener: { auth: 'always' } });
  const [, shown] = await talk(lenient.ports.get('clients')!, ['EHLO clear.example']);
  t.match(shown, /AUTH/, 'unless the operator wants it');
  await lenient.stop();
  backend.close();
});

test('auth = "strong-tls" hides logins from old TLS only', async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl)) return;
  const backend = await startTlsBackend('starttls');
  const keys = { tls: 'starttls', 'tls-pin': pinOf(backend) };
  const program = await startProxy(backend, keys, { listener: { auth: 'strong-tls' } });
  stopAfter(t, backend, program);
  const ehlo = async (...options: string[]): Promise<string> => {
    const port = program.ports.get('clients')!;
    const line = `openssl s_client -connect 127.0.0.1:${port} -starttls smtp -crlf -quiet ${options.join(' ')}`;
    const dialogue = promisify(execFile)('bash', ['-c', `printf 'EHLO x.example\\nQUIT\\n' | ${line}`]);
    return (await dialogue).stdout;
  };
  t.match(await ehlo('-tls1_2'), /AUTH/);
  const old = await ehlo('-tls1', '-cipher', 'ALL:@SECLEVEL=0');
  t.match(old, /^250/m);
  t.notMatch(old, /AUTH/);
});

/** One connection that asks for STARTTLS and fails with a hello that offers only these suites. */
async function failHandshake(
  t: Test,
  program: Program,
  suites: readonly number[],
  attempt: string,
): Promise<void> {
  const client = await SmtpClient.connect(program.ports.get('clients')!);
  await client.reply();
  t.match(await client.command('EHLO old.example'), /STARTTLS/, `offered at ${attempt}`);
  t.match(await client.command('STARTTLS'), /^220 /);
  await client.secureLikeOld({ suites }).catch(() => undefined);
  client.destroy();
  t.match(await program.nextConnection(), { outcome: 'handshake_refused', reason: 'no_shared_cipher_suite' });
}

test('an address that repeats a hello that cannot be served is offered no STARTTLS for a while', async (t) => {
  const backend = await startTlsBackend('none');
  const limits = { 'starttls-suppress-after': 2, 'starttls-suppress-for': '1h' };
  const program = await startProxy(backend, {}, { limits });
  stopAfter(t, backend, program);
  for (const suites of [[EXPORT_RC4], [EXPORT_RC2], [EXPORT_RC4], [EXPORT_RC4]])
    await failHandshake(t, program, suites, String(suites));
  t.match(
    program.log.filter(({ event }) => event === 'starttls_suppressed'),
    [{ address: '127.0.0.1', failures: 2, reason: 'no_shared_cipher_suite', minutes: 60 }],
  );
  const [, ehlo, starttls] = await talk(program.ports.get('clients')!, ['EHLO bad.example', 'STARTTLS']);
  t.notMatch(ehlo, /STARTTLS/);
  t.match(starttls, /^502 /);
  await deliver(program, 'starttls');
  t.match(await backend.next(), { client: '127.0.0.77' }, 'which does not concern other addresses');
});

/** TLS_RSA_EXPORT_WITH_RC4_40_MD5 and TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5, which nothing here serves. */
const EXPORT_RC4 = 0x0003;
const EXPORT_RC2 = 0x0006;

const quote = (text: string): string => text.replace(/[+/]/g, '[$&]');
const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'needs the openssl command';
