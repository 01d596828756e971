/** Servers of other protocols behind mode = "tcp": Dovecot's IMAP and POP3, nginx's HTTP; clients of every age. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { dovecotLack, MAILBOX, startDovecot } from '../support/peers/dovecot.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { adapt, freePorts, untilListening } from '../support/peers/mta.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { CLI, startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { OLD_CLIENT } from '../support/trials.js';
import { logged } from '../support/logged.js';

const run = promisify(execFile);
const lackOf = (command: string, option: string): string | undefined =>
  spawnSync(command, [option]).error === undefined ? undefined : `needs ${command}`;

const IMAP = `* OK|a LOGIN ${MAILBOX.user} ${MAILBOX.pass}|a OK|b SELECT INBOX|b OK|c FETCH 1 BODY[TEXT]|c OK|d LOGOUT|d OK`;
const POP3 = `+OK|USER ${MAILBOX.user}|+OK|PASS ${MAILBOX.pass}|+OK|RETR 1|.|QUIT|+OK`;
/** JSSE's versions, with the hello of SSL 2.0. */
const OLD_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.2'] as const;

async function startInFront(t: Test, ports: Readonly<Record<string, number>>): Promise<Program> {
  const names = Object.keys(ports);
  const program = await startProgram(
    proxyConfig({
      listeners: names.map((name) => ({ name, mode: 'tcp', backend: name })),
      backends: names.map((name): Table => ({ name, address: ports[name]! })),
      tls: { profile: 'ancient' },
    }),
    names.length,
  );
  t.teardown(() => program.stop());
  return program;
}

test('a JDK with SSLv2Hello, and the OpenSSL of today, read a mailbox of Dovecot by IMAP and POP3', async (t) => {
  if (!hasPeer(t, 'dovecot', dovecotLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const dovecot = await startDovecot();
  t.teardown(() => dovecot.stop());
  const program = await startInFront(t, { imaps: dovecot.imapPort, pop3s: dovecot.pop3Port });
  const jdk = startJobClient('jdk');
  t.teardown(() => jdk.close());
  for (const [listener, script] of [
    ['imaps', IMAP],
    ['pop3s', POP3],
  ] as const) {
    const port = program.ports.get(listener)!;
    for (const version of OLD_VERSIONS) {
      const answer = await jdk.run({
        kind: 'lines',
        port,
        local: OLD_CLIENT,
        protocols: `SSLv2Hello,${version}`,
        ciphers: 'TLS_RSA_WITH_AES_128_CBC_SHA',
        script: Buffer.from(script).toString('hex'),
      });
      t.match(answer, { ok: true, protocol: version }, `${listener}: ${version}`);
      if (!answer.ok) continue;
      t.match(Buffer.from(answer.read!, 'hex').toString(), MAILBOX.text, 'the message is read');
      const closed = await program.nextConnection();
      t.match(closed, {
        listener,
        client: { address: OLD_CLIENT },
        outcome: 'completed',
        hello: { format: 'sslv2' },
        tls: { path: 'engine', version },
      });
      t.notOk('smtp' in closed);
    }
    const { stdout } = await lines(port, script);
    t.match(stdout, MAILBOX.text, `${listener}: openssl reads it too`);
    t.match(await program.nextConnection(), {
      outcome: 'completed',
      tls: { path: 'native', version: 'TLSv1.3' },
    });
  }
  const logins = ['imap', 'pop3'].map(
    (protocol) =>
      new RegExp(`${protocol}-login: Info: Login: user=<${MAILBOX.user}>.*rip=${OLD_CLIENT}.*secured`),
  );
  const log = await logged(dovecot, ...logins);
  for (const login of logins) t.match(log, login, 'its log has the client');

  const { status, stdout } = spawnSync(
    process.execPath,
    [CLI, 'check', '--config', join(program.folder, 'oldhello.toml')],
    {
      encoding: 'utf8',
    },
  );
  t.match(stdout, /^good backend imaps, as it comes: connection: it begins with "\* OK /m);
  t.match(stdout, /^good backend pop3s, as it comes: connection: it begins with "\+OK /m);
  t.notMatch(stdout, /^BAD/m);
  t.equal(status, 0);
});

/** Line by line, by OpenSSL's client. */
function lines(port: number, script: string): Promise<{ stdout: string }> {
  const steps = script.split('|');
  return new Promise((resolve) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-crlf'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let [stdout, read] = ['', 0];
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString('latin1');
      for (let end = stdout.indexOf('\n', read); end >= 0; end = stdout.indexOf('\n', read)) {
        const line = stdout.slice(read, end);
        read = end + 1;
        if (steps[0] === undefined || !line.startsWith(steps[0])) continue;
        const answer = steps[1];
        steps.splice(0, 2);
        if (answer === undefined) child.stdin.end();
        else child.stdin.write(`${answer}\n`);
      }
    });
    child.on('close', () => resolve({ stdout }));
  });
}

test('curl and an old OpenSSL client get a page of nginx, which has their addresses', async (t) => {
  if (!hasPeer(t, 'nginx', lackOf('nginx', '-v')) || !hasPeer(t, 'curl', lackOf('curl', '--version'))) return;
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-nginx-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ports = await freePorts([10443]);
  const file = join(folder, 'nginx.conf');
  const page = readFileSync(new URL('../../docs/other-protocols.md', import.meta.url), 'utf8');
  const server = adapt(/\n```\n(server \{[^`]*)\}\n```/.exec(page)![1]!, ports);
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log stderr crit;
events {}
http { access_log off; client_body_temp_path ${folder}; ${server} location / { return 200 "you are $remote_addr\\n"; } } }
`,
  );
  const nginx = spawn('nginx', ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.teardown(async () => {
    nginx.kill('SIGQUIT');
    await once(nginx, 'exit');
  });
  await untilListening(
    ports.values(),
    () => nginx.exitCode !== null,
    () => 'nginx does not start',
  );
  const program = await startInFront(t, { https: ports.get(10443)! });
  const port = program.ports.get('https')!;
  const url = `https://127.0.0.1:${port}/`;
  const curl = async (...options: string[]): Promise<string> =>
    (await run('curl', ['-sk', '--interface', OLD_CLIENT, ...options, url])).stdout;
  t.equal(await curl(), `you are ${OLD_CLIENT}\n`);
  t.match(await program.nextConnection(), {
    outcome: 'completed',
    tls: { path: 'native', version: 'TLSv1.3' },
  });
  t.equal(
    await curl('--tlsv1.0', '--tls-max', '1.0', '--ciphers', 'DEFAULT:@SECLEVEL=0'),
    `you are ${OLD_CLIENT}\n`,
  );
  t.match(await program.nextConnection(), {
    outcome: 'completed',
    tls: { path: 'engine', version: 'TLSv1' },
  });

  if (!hasPeer(t, 'jdk', missing('jdk'))) return;
  const jdk = startJobClient('jdk');
  t.teardown(() => jdk.close());
  const script = '|GET / HTTP/1.0\r\n|you are';
  const answer = await jdk.run({
    kind: 'lines',
    port,
    local: OLD_CLIENT,
    protocols: 'SSLv2Hello,SSLv3',
    ciphers: 'SSL_RSA_WITH_RC4_128_MD5',
    script: Buffer.from(script).toString('hex'),
  });
  t.match(answer, { ok: true, protocol: 'SSLv3' });
  t.match(await program.nextConnection(), { outcome: 'completed', hello: { format: 'sslv2' } });
});
