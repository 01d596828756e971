/**
 * What the scanners that administrators run say of oldhello: the versions and suites that its profile allows, and no SSL 2.0.
 * Their hundreds of failed handshakes take STARTTLS from nobody at their address.
 */
import { test, type Test } from 'tap';
import { hasPeer } from '../support/peers/require-peer.js';
import { startMailPath, type MailPath } from '../support/mail-path.js';
import {
  LACKS,
  nmap,
  sslscan,
  sslyze,
  testssl,
  type Found,
  type Version,
} from '../support/peers/scanners.js';
import { SmtpClient } from '../support/smtp-client.js';
import { CIPHER_SUITES, PRESETS, ProtocolVersion, type PresetName } from '../../src/tls/index.js';

const MODES = ['starttls', 'implicit'] as const;
const OLD_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'] as const;
const TLS_1_3 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** What a profile documents for an RSA certificate, by the names in the registry. */
function documented(profile: PresetName, version: Version): string[] {
  if (version === 'TLSv1.3') return TLS_1_3;
  const { minVersion, cipherSuites } = PRESETS[profile];
  const number = ProtocolVersion[version];
  if (number < minVersion) return [];
  return cipherSuites
    .filter(
      (suite) => suite.authentication === 'rsa' && suite.minVersion <= number && suite.maxVersion >= number,
    )
    .map(({ name }) => name)
    .sort();
}

/** OpenSSL's names become those in the registry. */
function registered(names: readonly string[]): string[] {
  return names
    .map((name) => CIPHER_SUITES.find(({ opensslName }) => opensslName === name)?.name ?? name)
    .sort();
}

function findsTheProfile(t: Test, found: Found, profile: PresetName, versions: readonly Version[]): void {
  for (const version of versions)
    t.same(registered(found.get(version) ?? []), documented(profile, version), `${version} of ${profile}`);
}

async function startPath(t: Test, profile: PresetName = 'ancient'): Promise<MailPath> {
  // A scanner makes more handshakes in seconds than an address may by default.
  const limits = { 'handshakes-per-second': 0, 'handshakes-per-second-per-address': 0 };
  const path = await startMailPath({ tls: { profile }, limits });
  t.teardown(() => path.stop());
  return path;
}

/** After a scan. */
async function offersStarttls(t: Test, path: MailPath): Promise<void> {
  const client = await SmtpClient.connect(path.port('starttls'));
  await client.reply();
  t.match(
    await client.command('EHLO client.example'),
    /^250.STARTTLS$/m,
    'an ordinary client is offered STARTTLS',
  );
  t.match(await client.command('STARTTLS'), /^220 /);
  await client.secure();
  client.destroy();
  const suppressed = path.program.log.filter(({ event }) => event === 'starttls_suppressed');
  t.same(suppressed, [], 'and no address lost it');
}

test('sslscan lists the suites of the profile', async (t) => {
  if (!hasPeer(t, 'sslscan', LACKS.sslscan)) return;
  const path = await startPath(t);
  for (const mode of MODES) {
    const { found, text } = await sslscan(path.port(mode), mode);
    t.match(text, /^SSLv2 +disabled$/m);
    t.match(text, /^SSLv3 +enabled$/m);
    t.match(text, /^Server supports TLS Fallback SCSV$/m);
    t.notMatch(text, /^TLSv1\.\d vulnerable to heartbleed/m);
    findsTheProfile(t, found, 'ancient', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
  }
  await offersStarttls(t, path);
});

test('nmap lists the suites of the profile, and finds SMTP behind the port', async (t) => {
  if (!hasPeer(t, 'nmap', LACKS.nmap)) return;
  const path = await startPath(t);
  for (const mode of MODES) {
    const { found, text } = await nmap(path.port(mode), mode);
    t.notMatch(text, /^\|_?.*SSLv2/m, 'no SSL 2.0');
    t.match(text, /smtp-commands: .*PIPELINING/);
    t.match(text, /SSL POODLE/, 'as SSLv3 with CBC is on');
    findsTheProfile(t, found, 'ancient', [...OLD_VERSIONS, 'TLSv1.3']);
  }
  await offersStarttls(t, path);
});

for (const [profile, modes] of [
  ['intermediate', ['starttls']],
  ['legacy', ['implicit']],
  ['ancient', MODES],
] as const) {
  test(`sslyze lists the suites of profile ${profile}, and none of the known attacks`, async (t) => {
    if (!hasPeer(t, 'sslyze', LACKS.sslyze)) return;
    const path = await startPath(t, profile);
    for (const mode of modes) {
      const { found, report } = await sslyze(path.port(mode), mode);
      findsTheProfile(t, found, profile, [...OLD_VERSIONS, 'TLSv1.3']);
      t.same(report['ssl_2_0_cipher_suites']?.result.accepted_cipher_suites, [], 'no SSL 2.0');
      t.match(report, {
        heartbleed: { result: { is_vulnerable_to_heartbleed: false } },
        openssl_ccs_injection: { result: { is_vulnerable_to_ccs_injection: false } },
        robot: { result: { robot_result: /^NOT_VULNERABLE/ } },
        session_renegotiation: { result: { is_vulnerable_to_client_renegotiation_dos: false } },
        tls_fallback_scsv: { result: { supports_fallback_scsv: true } },
      });
    }
    await offersStarttls(t, path);
  });
}

test('testssl.sh finds the versions on both ports, and the suites', async (t) => {
  if (!hasPeer(t, 'testssl.sh', LACKS.testssl)) return;
  const path = await startPath(t);
  const [starttls, implicit, all] = await Promise.all([
    testssl(path.port('starttls'), 'starttls', 'protocols'),
    testssl(path.port('implicit'), 'implicit', 'protocols'),
    testssl(path.port('implicit'), 'implicit', 'suites'),
  ]);
  for (const { text } of [starttls, implicit]) {
    t.notMatch(text, /handshake failed/i);
    t.match(text, /^ SSLv2 +not offered/m);
    for (const version of ['SSLv3', 'TLS 1', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'])
      t.match(text, new RegExp(`^ ${version.replace('.', '\\.')} +offered`, 'm'), version);
  }
  const documentedAtAll = new Set(
    [...OLD_VERSIONS, 'TLSv1.3' as const].flatMap((version) => documented('ancient', version)),
  );
  t.same([...all.suites].sort(), [...documentedAtAll].sort());
  await offersStarttls(t, path);
});
