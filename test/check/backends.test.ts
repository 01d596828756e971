/** `oldhello check` against a real Postfix, set up right and in every wrong way. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { render, type Finding } from '../../src/check/finding.js';
import { freePort, postfixLack, postfixTls, smtpService, startPostfix } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { CLI } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

interface Checked {
  readonly code: number;
  readonly text: string;
  /** By check; of several, the first that is not good. */
  readonly findings: Readonly<Record<string, Finding>>;
}

function run(...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'check', ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.code as unknown as number);
      resolve({ code, text: stdout + stderr });
    });
  });
}

interface Setting {
  readonly port: number;
  readonly backend: Table;
  readonly mode?: 'starttls' | 'implicit';
}

async function check(t: Test, { port, backend, mode = 'starttls' }: Setting): Promise<Checked> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-check-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'oldhello.toml');
  writeFileSync(
    file,
    proxyConfig({
      server: { 'state-directory': folder },
      listeners: [{ mode }],
      backend: { address: port, ...backend },
    }),
  );
  const { code, text } = await run('--config', file, '--json');
  if (!text.startsWith('{')) return { code, text, findings: {} };
  const { findings } = JSON.parse(text) as { findings: Finding[] };
  const byCheck: Record<string, Finding> = {};
  for (const finding of findings) {
    const before = byCheck[finding.check];
    if (before === undefined || before.verdict === 'good') byCheck[finding.check] = finding;
  }
  return { code, text: findings.map((one) => render(one)).join('\n'), findings: byCheck };
}

const verdicts = ({ findings }: Checked): Record<string, string> =>
  Object.fromEntries(Object.entries(findings).map(([name, { verdict }]) => [name, verdict]));

const TLS = postfixTls();
/** Postfix delays what it says to clients that make mistakes. */
const QUICK = { smtpd_error_sleep_time: '0', smtpd_upstream_proxy_timeout: '1s' };
const OPEN = {
  mynetworks: '0.0.0.0/0',
  smtpd_relay_restrictions: 'permit_mynetworks,reject_unauth_destination',
};
const NO_PROXY = { smtpd_upstream_proxy_protocol: '' };
const XCLIENT = { ...NO_PROXY, smtpd_authorized_xclient_hosts: '127.0.0.1' };

const SERVICES = {
  plain: NO_PROXY,
  open: OPEN,
  local: { ...NO_PROXY, ...OPEN, mynetworks: '127.0.0.0/8' },
  xclient: XCLIENT,
  'xclient-for-all': { ...XCLIENT, smtpd_authorized_xclient_hosts: '0.0.0.0/0' },
  'xclient-open': { ...XCLIENT, ...OPEN },
  xforward: { ...XCLIENT, smtpd_authorized_xforward_hosts: '127.0.0.1' },
  tls: TLS.settings,
  'xclient-tls': { ...XCLIENT, ...TLS.settings },
  wrapper: { ...TLS.settings, smtpd_tls_wrappermode: 'yes' },
  unwelcome: {
    smtpd_delay_reject: 'no',
    smtpd_client_restrictions: 'check_client_access inline:{{192.0.2.25 = REJECT nobody}}',
  },
} as const;

test('oldhello check, against Postfix', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const ports = new Map<string, number>();
  for (const name of Object.keys(SERVICES)) ports.set(name, await freePort());
  const services = Object.entries(SERVICES).map(([name, own]) => smtpService(ports.get(name)!, own));
  const postfix = await startPostfix(QUICK, services.join(''));
  t.teardown(() => postfix.stop());
  const port = (name: keyof typeof SERVICES): number => ports.get(name)!;

  for (const identity of ['proxy-v2', 'proxy-v1']) {
    await t.test(`${identity}: a right set-up is good, and the log shows the claimed address`, async (t) => {
      const checked = await check(t, { port: postfix.port, backend: { identity } });
      t.equal(checked.code, 0, checked.text);
      const good = { connection: 'good', identity: 'good', observed: 'good', trust: 'good', relay: 'good' };
      t.match(verdicts(checked), good);
      t.match(
        checked.findings['relay']?.message,
        /does not relay for 192\.0\.2\.25: "[45]5\d .*Relay access denied"/,
      );
      t.match(postfix.log(), /connect from unknown\[192\.0\.2\.25\]/);
      t.match(checked.text, /^good backend mta, in clear: identity: it accepts proxy-v[12]$/m);
    });

    await t.test(`${identity}: a service without the PROXY protocol is recognised`, async (t) => {
      const checked = await check(t, { port: port('plain'), backend: { identity } });
      t.equal(checked.code, 1);
      t.match(checked.findings['identity'], {
        verdict: 'bad',
        message: /does not expect proxy-v[12], and reads it as SMTP/,
        advice: [/^Postfix: smtpd_upstream_proxy_protocol = haproxy/],
      });
      t.match(checked.findings['relay'], { verdict: 'unknown' });
    });
  }

  await t.test('a service that waits for a PROXY header does not greet without one', async (t) => {
    for (const identity of ['xclient', 'none']) {
      const backend = { identity, 'acknowledge-relay-risk': true };
      const checked = await check(t, { port: postfix.port, backend });
      t.equal(checked.code, 1);
      const bad = Object.values(checked.findings).filter(({ verdict }) => verdict === 'bad');
      t.equal(bad.length, 1);
      t.match(bad[0]?.message, /PROXY header/);
      t.match(checked.text, /Postfix: .*smtpd_upstream_proxy_protocol/);
    }
  });

  await t.test('an open relay is found, with every identity', async (t) => {
    for (const [name, identity] of [
      ['open', 'proxy-v2'],
      ['open', 'proxy-v1'],
      ['xclient-open', 'xclient'],
    ] as const) {
      const checked = await check(t, { port: port(name), backend: { identity } });
      t.equal(checked.code, 1);
      t.match(checked.findings['relay'], {
        verdict: 'bad',
        message: /^an open relay: it accepts mail of 192\.0\.2\.25 .*relay-test\.example\.org/,
        advice: [/^Postfix: mynetworks = /],
      });
      t.match(checked.findings['identity'], { verdict: 'good' });
    }
  });

  await t.test(
    'identity "none" and mynetworks with loopback: refused, or, if acknowledged, found',
    async (t) => {
      const refused = await check(t, { port: port('local'), backend: { identity: 'none' } });
      t.equal(refused.code, 2);
      t.match(refused.text, /oldhello\.toml:11: backend\[0\]\.identity: .*an open relay/);
      const backend = { identity: 'none', 'acknowledge-relay-risk': true };
      const checked = await check(t, { port: port('local'), backend });
      t.equal(checked.code, 1);
      t.match(checked.findings['relay'], {
        verdict: 'bad',
        message: /mail of all clients of 127\.0\.0\.1/,
        advice: [/^Postfix: mynetworks = /],
      });
      const harmless = await check(t, { port: port('plain'), backend });
      t.equal(harmless.code, 0, harmless.text);
    },
  );

  await t.test('XCLIENT: accepted, not authorized, or authorized for everybody', async (t) => {
    const good = await check(t, { port: port('xclient'), backend: { identity: 'xclient' } });
    t.equal(good.code, 0, good.text);
    t.match(good.findings['observed']?.message, /offered XCLIENT to 127\.0\.0\.1, but not to 192\.0\.2\.25/);
    const denied = await check(t, { port: port('plain'), backend: { identity: 'xclient' } });
    t.equal(denied.code, 1);
    t.match(denied.findings['identity'], {
      verdict: 'bad',
      advice: { 0: 'Postfix: smtpd_authorized_xclient_hosts = 127.0.0.1' },
    });
    const lax = await check(t, { port: port('xclient-for-all'), backend: { identity: 'xclient' } });
    t.equal(lax.code, 1);
    t.match(lax.findings['trust'], { verdict: 'bad', message: /allows XCLIENT for 192\.0\.2\.25/ });
    const forward = await check(t, { port: port('xforward'), backend: { identity: 'xclient' } });
    t.equal(forward.code, 1);
    t.match(forward.findings['trust'], { verdict: 'bad' });
  });

  await t.test("the backend's own TLS is tried as it is used", async (t) => {
    const pin = { 'tls-pin': TLS.pin };
    for (const [name, backend, mode] of [
      ['tls', { identity: 'proxy-v2', tls: 'starttls', ...pin }, 'starttls'],
      ['tls', { identity: 'proxy-v2', tls: 'bridge', ...pin }, 'starttls'],
      ['xclient-tls', { identity: 'xclient', tls: 'starttls', ...pin }, 'implicit'],
      ['xclient-tls', { identity: 'xclient', tls: 'bridge', ...pin }, 'starttls'],
      ['wrapper', { identity: 'proxy-v1', tls: 'implicit', ...pin }, 'starttls'],
      ['wrapper', { identity: 'proxy-v2', tls: 'bridge', ...pin }, 'implicit'],
    ] as const) {
      const checked = await check(t, { port: port(name), backend, mode });
      t.equal(checked.code, 0, `${JSON.stringify(backend)}: ${checked.text}`);
      t.match(checked.findings['tls'], { verdict: 'good', message: /^TLSv1\.[23] with .*tls-pin/ });
      t.match(verdicts(checked), { identity: 'good', relay: 'good' });
    }
  });

  await t.test('another certificate, or none, is found', async (t) => {
    const wrong = await check(t, { port: port('tls'), backend: { tls: 'starttls' } });
    t.equal(wrong.code, 1);
    t.match(wrong.findings['tls'], { verdict: 'bad', message: /self-signed certificate/ });
    const bridged = await check(t, { port: port('tls'), backend: { tls: 'bridge' } });
    t.match(bridged.findings['tls'], { verdict: 'bad', message: /self-signed certificate/ });
    for (const tls of ['starttls', 'bridge']) {
      const none = await check(t, { port: postfix.port, backend: { tls } });
      t.equal(none.code, 1);
      t.match(none.findings['tls'], { verdict: 'bad', message: /does not offer STARTTLS/ });
    }
  });

  await t.test('a greeting that refuses the claimed client makes the connection bad', async (t) => {
    const checked = await check(t, { port: port('unwelcome'), backend: {} });
    t.equal(checked.code, 1);
    t.match(checked.findings['connection'], { verdict: 'bad', message: /"554 5\.7\.1 .*nobody"/ });
  });

  t.match(postfix.log(), /192\.0\.2\.25/);
  t.notMatch(postfix.log(), /DATA from|queue active|status=/, 'no message was ever sent');
});

test('for people, each finding is a line, with what to set below it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-check-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'oldhello.toml');
  writeFileSync(file, proxyConfig({ server: { 'state-directory': undefined } }));
  const { code, text } = await run('--config', file);
  t.equal(code, 1);
  t.match(text, /^good file: configuration: valid, with 1 listener and 1 backend$/m);
  t.match(text, /^BAD  backend mta, in clear: connection: backend mta \(127\.0\.0\.1:1\): /m);
  t.match(text, /^\? {4}backend mta, in clear: relay: could not be checked$/m);
});

test('a backend that is down is bad in one line, whoever the client would be', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const checked = await check(t, { port, backend: {} });
  t.equal(checked.code, 1);
  t.match(checked.findings['connection'], {
    verdict: 'bad',
    message: /backend mta \(127\.0\.0\.1:\d+\): .*ECONNREFUSED/,
  });
});

test('without a configuration, or with a wrong one, the exit code is 2', async (t) => {
  t.match(await run(), { code: 2, text: /which configuration\?.*oldhello check --config FILE/s });
  t.match(await run('--config', '/nonexistent.toml'), { code: 2 });
  t.match(await run('--config', 'package.json'), { code: 2, text: /package\.json:1: / });
});
