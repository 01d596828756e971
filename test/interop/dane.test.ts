/** A real Postfix that sends to oldhello and verifies its key: by fingerprint, and by TLSA records in a signed zone. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { test, type Test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { ECDSA_CERTIFICATE, ECDSA_KEY } from '../support/ecdsa-credential.js';
import { startMailPath, type MailPath } from '../support/mail-path.js';
import { postfixLack, startPostfix, type Mta } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { signedZoneLack, startSignedZone } from '../support/peers/signed-zone.js';
import { CLI } from '../support/program.js';

/** Two certificates, RSA and ECDSA, as a server for clients of every age has them. */
async function startServer(t: Test): Promise<MailPath> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-dane-'));
  selfSignedCredential(folder, 'mx.dane.example');
  writeFileSync(join(folder, 'ecdsa.crt'), ECDSA_CERTIFICATE);
  writeFileSync(join(folder, 'ecdsa.key'), ECDSA_KEY, { mode: 0o600 });
  const path = await startMailPath({
    server: { hostname: 'mx.dane.example' },
    certificates: ['self-signed', 'ecdsa'].map((name) => {
      return { chain: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
    }),
  });
  t.teardown(() => path.stop());
  return path;
}

/** The digests in the records that `oldhello check` prints, RSA first. */
function publishedDigests({ program }: MailPath): string[] {
  const config = join(program.folder, 'oldhello.toml');
  const { stdout } = spawnSync(process.execPath, [CLI, 'check', '--config', config], { encoding: 'utf8' });
  return [...stdout.matchAll(/_25\._tcp\.mx\.dane\.example\. IN TLSA 3 1 1 ([0-9a-f]{64})$/gm)].map(
    ([, digest]) => digest!,
  );
}

async function startSender(
  t: Test,
  settings: Record<string, string>,
  runner: readonly string[] = [],
): Promise<Mta> {
  const postfix = await startPostfix(
    {
      smtpd_upstream_proxy_protocol: '',
      mynetworks: '127.0.0.1/32',
      smtpd_relay_restrictions: 'permit_mynetworks, reject',
      smtp_tls_loglevel: '1',
      ...settings,
    },
    'smtp unix - - n - - smtp\nretry unix - - n - - error\n',
    '',
    runner,
  );
  t.teardown(() => postfix.stop());
  return postfix;
}

/** Hands a mail to the sender. @returns its status in the sender's log, and the lines about TLS */
async function send(mta: Mta, subject: string): Promise<string> {
  const before = mta.log().length;
  const transport = createTransport({ host: '127.0.0.1', port: mta.port, ignoreTLS: true });
  await transport.sendMail({ from: 'a@sender.example', to: 'b@old.example', subject, text: 'text' });
  transport.close();
  for (;;) {
    const said = mta.log().slice(before);
    if (/ status=\w+/.test(said)) return said;
    await delay(100);
  }
}

const colons = (digest: string): string => digest.toUpperCase().replace(/(..)(?=.)/g, '$1:');

test('Postfix verifies the fingerprint of the key that check prints', async (t) => {
  if (!hasPeer(t, 'Postfix', postfixLack())) return;
  const path = await startServer(t);
  const [rsa, ecdsa] = publishedDigests(path);
  t.ok(rsa !== undefined && ecdsa !== undefined);
  const sender = (digests: string, more: Record<string, string> = {}): Promise<Mta> =>
    startSender(t, {
      relayhost: `[127.0.0.1]:${path.port('starttls')}`,
      smtp_tls_security_level: 'fingerprint',
      smtp_tls_fingerprint_digest: 'sha256',
      smtp_tls_fingerprint_cert_match: digests,
      ...more,
    });
  const both = await sender(`${colons(rsa!)} ${colons(ecdsa!)}`);
  t.match(await send(both, 'both'), /Verified TLS connection established [^]* status=sent/);
  const onlyEcdsa = await sender(colons(ecdsa!));
  const refused = /status=deferred \(Server certificate not (?:verified|trusted)\)/;
  t.match(await send(onlyEcdsa, 'one'), refused, 'by its hello it gets the RSA one');
  const limited = await sender(colons(ecdsa!), {
    smtp_tls_mandatory_exclude_ciphers: 'aRSA',
    smtp_tls_mandatory_protocols: '<=TLSv1.2',
  });
  t.match(await send(limited, 'other hello'), /Verified TLS connection established [^]* status=sent/);
});

test('Postfix with dane-only verifies TLSA records in a signed zone', async (t) => {
  if (!hasPeer(t, 'Postfix', postfixLack()) || !hasPeer(t, 'unbound', signedZoneLack())) return;
  const path = await startServer(t);
  const port = path.port('starttls');
  const digests = publishedDigests(path);
  const records = (name: string, all: readonly string[]): string[] => [
    `${name} IN A 127.0.0.1`,
    ...all.map((digest) => `_${port}._tcp.${name} IN TLSA 3 1 1 ${digest}`),
  ];
  const zone = await startSignedZone('dane.example', [
    ...records('mx', digests),
    ...records('other', digests.slice(1)),
    ...records('none', []),
  ]);
  t.teardown(() => zone.stop());
  for (const [name, expected] of [
    ['mx', /Verified TLS connection established to mx\.dane\.example[^]* status=sent/],
    ['other', /status=deferred \(Server certificate not (?:verified|trusted)\)/],
    ['none', /status=deferred \(TLSA lookup error|status=deferred \([^)]*(?:TLSA|DANE)/i],
  ] as const) {
    const settings = {
      relayhost: `[${name}.dane.example]:${port}`,
      smtp_dns_support_level: 'dnssec',
      smtp_host_lookup: 'dns',
      smtp_tls_security_level: 'dane-only',
    };
    const sender = await startSender(t, settings, zone.runner);
    t.match(await send(sender, name), expected, name);
  }
});
