/** The JDK's TLS, with the SSLv2-format hello it can still be made to send, delivers mail through a whole oldhello. */
import { test } from 'tap';
import { makeMessage } from '../support/message.js';
import { startMailPath } from '../support/mail-path.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';

/** JSSE's name of a suite, OpenSSL's, and the versions that have it. */
const SUITES = [
  ['SSL_RSA_WITH_RC4_128_MD5', 'RC4-MD5', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  ['SSL_RSA_WITH_RC4_128_SHA', 'RC4-SHA', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  ['SSL_RSA_WITH_3DES_EDE_CBC_SHA', 'DES-CBC3-SHA', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  ['TLS_RSA_WITH_AES_256_CBC_SHA', 'AES256-SHA', 'TLSv1', 'TLSv1.2'],
  ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'DHE-RSA-AES128-SHA', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  ['TLS_RSA_WITH_AES_256_CBC_SHA256', 'AES256-SHA256', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 'ECDHE-RSA-AES256-SHA384', 'TLSv1.2'],
  ['TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256', 'TLSv1.2'],
  ['TLS_DHE_RSA_WITH_AES_256_GCM_SHA384', 'DHE-RSA-AES256-GCM-SHA384', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2'],
] as const;

test('a JDK with SSLv2Hello delivers a megabyte by every version and kind of suite', async (t) => {
  if (!hasPeer(t, 'jdk', missing('jdk'))) return;
  const path = await startMailPath();
  const jdk = startJobClient('jdk');
  t.teardown(async () => {
    jdk.close();
    await path.stop();
  });
  const message = makeMessage(1_000_000);
  for (const [jsseName, opensslName, ...versions] of SUITES) {
    for (const version of versions) {
      for (const mode of ['starttls', 'implicit'] as const) {
        const name = `${version} ${opensslName} ${mode}`;
        const answer = await jdk.run({
          kind: 'mail',
          port: path.port(mode),
          mode,
          protocols: `SSLv2Hello,${version}`,
          ciphers: jsseName,
          helo: 'jdk.example',
          from: 'sender@old.example',
          to: 'recipient@new.example',
          file: message.file,
        });
        t.match(answer, { ok: true, protocol: version, cipher: jsseName }, name);
        if (!answer.ok) continue;
        t.match(
          await path.sink.next(),
          {
            sha256: message.sha256,
            size: message.bytes.length,
            helo: 'jdk.example',
            client: '127.0.0.1',
            hello: 'sslv2',
            tls: { version, cipher: opensslName },
          },
          `${name}: the message arrived whole, and the MTA knows how`,
        );
        t.match(
          await path.program.nextConnection(),
          { outcome: 'completed', hello: { format: 'sslv2', version }, tls: { path: 'engine', version } },
          `${name}: the log says so`,
        );
      }
    }
  }
});

test('a JDK left to its own choice of suites is served the best that its age allows', async (t) => {
  if (!hasPeer(t, 'jdk', missing('jdk'))) return;
  const path = await startMailPath();
  const jdk = startJobClient('jdk');
  t.teardown(async () => {
    jdk.close();
    await path.stop();
  });
  const message = makeMessage(1000);
  const best = [
    ['SSLv2Hello,SSLv3', 'SSLv3', 'RC4-SHA', 'engine'],
    ['SSLv2Hello,SSLv3,TLSv1', 'TLSv1', /^ECDHE-.*-AES128-SHA$/, 'engine'],
    ['SSLv2Hello,TLSv1,TLSv1.1,TLSv1.2', 'TLSv1.2', /^ECDHE-.*-AES128-GCM-SHA256$/, 'engine'],
    ['TLSv1', 'TLSv1', 'ECDHE-RSA-AES128-SHA', 'engine'],
    ['TLSv1.2', 'TLSv1.2', /^ECDHE-RSA-/, 'native'],
    ['TLSv1.2,TLSv1.3', 'TLSv1.3', /^TLS_/, 'native'],
  ] as const;
  for (const [protocols, version, suite, by] of best) {
    const job = {
      kind: 'mail',
      mode: 'starttls',
      helo: 'jdk.example',
      from: 'a@old.example',
      to: 'b@new.example',
    } as const;
    const answer = await jdk.run({
      ...job,
      port: path.port('starttls'),
      protocols,
      ciphers: '',
      file: message.file,
    });
    t.match(answer, { ok: true, protocol: version }, protocols);
    t.match(
      await path.program.nextConnection(),
      { outcome: 'completed', tls: { version, suite, path: by } },
      protocols,
    );
  }
});
