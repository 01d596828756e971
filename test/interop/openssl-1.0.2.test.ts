/** OpenSSL 1.0.2, with the SSLv2-format hello it sends when SSL 2.0 is in its list, delivers mail through oldhello. */
import { test } from 'tap';
import { makeMessage } from '../support/message.js';
import { startMailPath } from '../support/mail-path.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';

/**
 * Alone in the list with SSL 2.0's own, so that nothing else can be chosen; at TLS 1.2, which SSLV23 offers. No ECDHE:
 * 1.0.2 leaves it out of this format, where it could not name its curves.
 */
const BY_SSLV2_HELLO = [
  'RC4-MD5',
  'RC4-SHA',
  'DES-CBC3-SHA',
  'AES128-SHA',
  'AES256-SHA256',
  'CAMELLIA128-SHA',
  'AES128-GCM-SHA256',
  'DHE-RSA-AES128-SHA',
  'DHE-RSA-AES256-GCM-SHA384',
];

const BY_FIXED_VERSION = [
  ['SSLV3', 'SSLv3', ['RC4-MD5', 'RC4-SHA', 'DES-CBC3-SHA', 'AES128-SHA', 'DHE-RSA-AES256-SHA']],
  ['TLSV1', 'TLSv1', ['RC4-MD5', 'DES-CBC3-SHA', 'AES256-SHA', 'ECDHE-RSA-AES128-SHA', 'CAMELLIA256-SHA']],
  ['TLSV1_1', 'TLSv1.1', ['RC4-SHA', 'DES-CBC3-SHA', 'AES128-SHA', 'DHE-RSA-AES128-SHA']],
  ['TLSV1_2', 'TLSv1.2', ['RC4-SHA', 'AES128-SHA256', 'AES256-GCM-SHA384', 'ECDHE-RSA-AES256-SHA384']],
] as const;

const job = {
  kind: 'mail',
  helo: 'openssl.example',
  from: 'sender@old.example',
  to: 'recipient@new.example',
} as const;

test('OpenSSL 1.0.2 delivers a megabyte after an SSLv2-format hello', async (t) => {
  if (!hasPeer(t, 'nassl', missing('nassl'))) return;
  const path = await startMailPath();
  const openssl = startJobClient('nassl');
  t.teardown(async () => {
    openssl.close();
    await path.stop();
  });
  const message = makeMessage(1_000_000);
  for (const cipher of BY_SSLV2_HELLO) {
    for (const mode of ['starttls', 'implicit'] as const) {
      const name = `${cipher} ${mode}`;
      const request = { ...job, port: path.port(mode), mode, file: message.file };
      const answer = await openssl.run({ ...request, protocols: 'SSLV23', ciphers: `${cipher}:SSLv2` });
      t.match(answer, { ok: true, protocol: 'TLSv1.2', cipher }, name);
      if (!answer.ok) continue;
      const { sha256, size, hello, tls } = await path.sink.next();
      t.match(
        { sha256, size },
        { sha256: message.sha256, size: message.bytes.length },
        `${name}: arrived whole`,
      );
      t.match(
        { hello, tls },
        { hello: 'sslv2', tls: { version: 'TLSv1.2', cipher } },
        `${name}: and the MTA knows how`,
      );
    }
  }
});

test('OpenSSL 1.0.2 delivers at each fixed version, with a record-format hello', async (t) => {
  if (!hasPeer(t, 'nassl', missing('nassl'))) return;
  const path = await startMailPath();
  const openssl = startJobClient('nassl');
  t.teardown(async () => {
    openssl.close();
    await path.stop();
  });
  const message = makeMessage(100_000);
  for (const [protocols, version, ciphers] of BY_FIXED_VERSION) {
    for (const cipher of ciphers) {
      const request = { ...job, port: path.port('starttls'), mode: 'starttls', file: message.file } as const;
      const answer = await openssl.run({ ...request, protocols, ciphers: cipher });
      t.match(answer, { ok: true, protocol: version, cipher }, `${version} ${cipher}`);
      if (!answer.ok) continue;
      const { sha256, hello, tls } = await path.sink.next();
      t.match({ sha256, hello, tls }, { sha256: message.sha256, hello: 'record', tls: { version, cipher } });
    }
  }
});
