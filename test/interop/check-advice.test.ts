/** `oldhello check` in front of mail servers with the usual mistakes: its advice must fit what is wrong there. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { BACKEND_GUIDES } from '../../tools/docs/backend-guides.js';
import { eximLack, startExim, type EximOptions } from '../support/peers/exim.js';
import { postfixLack, startPostfix } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { proxyConfig } from '../support/proxy-config.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** What check prints of a backend on this port that gets PROXY headers. */
async function checked(t: Test, port: number): Promise<{ readonly code: number; readonly text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-advice-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'oldhello.toml');
  writeFileSync(file, proxyConfig({ server: { 'state-directory': folder }, backend: { address: port } }));
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'check', '--config', file], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

async function checkExim(t: Test, options: EximOptions): ReturnType<typeof checked> {
  const exim = await startExim(options);
  t.teardown(() => exim.stop());
  const backend = exim.backend(BACKEND_GUIDES.Exim.setups.plain);
  return checked(t, Number(/:(\d+)"/.exec(backend)![1]));
}

test('a Postfix that has PROXY and no SASL server dies, and its log is where to look', async (t) => {
  if (!hasPeer(t, 'Postfix', postfixLack())) return;
  const postfix = await startPostfix({
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: 'private/auth',
  });
  t.teardown(() => postfix.stop());
  const { code, text } = await checked(t, postfix.port);
  t.equal(code, 1);
  t.match(text, /BAD +backend mta.*: identity: it closes the connection .*or it crashed/);
  t.match(text, 'if that is set: read its log at this time');
  const [, message] = /\(Postfix, "(fatal: [^"]+)"/.exec(text) ?? [];
  t.ok(message !== undefined && postfix.log().includes(message), `its log has "${message}"`);
});

test("Debian's exim4-daemon-light has no PROXY protocol, and check names the package that has", async (t) => {
  if (!hasPeer(t, 'exim-light', eximLack('exim-light'))) return;
  await t.rejects(startExim({ daemon: 'exim-light' }), { message: /"hosts_proxy" unknown/ });
  const { code, text } = await checkExim(t, { daemon: 'exim-light', proxied: false });
  t.equal(code, 1);
  t.match(text, /BAD +backend mta.*: (?:identity|connection): /);
  t.match(
    text,
    /Exim: hosts_proxy = 127\.0\.0\.1; .*on Debian, exim4-daemon-heavy and not exim4-daemon-light/,
  );
});

test('an exim4-daemon-heavy without hosts_proxy gets the same advice, and with it all is good', async (t) => {
  if (!hasPeer(t, 'exim', eximLack())) return;
  const without = await checkExim(t, { proxied: false });
  t.equal(without.code, 1);
  t.match(without.text, /Exim: hosts_proxy = 127\.0\.0\.1;/);
  const { code, text } = await checkExim(t, {});
  t.notMatch(text, /BAD/);
  t.equal(code, 0);
});
