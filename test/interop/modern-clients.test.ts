/** Clients of today deliver as well as without oldhello: the system's OpenSSL and Node's own TLS, TLS 1.0 to 1.3. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { createTransport } from 'nodemailer';
import { test } from 'tap';
import { makeMessage } from '../support/message.js';
import { startMailPath } from '../support/mail-path.js';
import { hasPeer } from '../support/peers/require-peer.js';

const OPENSSL = [
  ['-tls1', 'TLSv1', 'ECDHE-RSA-AES128-SHA', 'engine'],
  ['-tls1_1', 'TLSv1.1', 'ECDHE-RSA-AES128-SHA', 'engine'],
  ['-tls1_2', 'TLSv1.2', /^ECDHE-RSA-.*(GCM|POLY1305)/, 'native'],
  ['-tls1_3', 'TLSv1.3', /^TLS_/, 'native'],
] as const;

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'needs the openssl command';

test("the system's OpenSSL delivers at TLS 1.0 to 1.3", async (t) => {
  if (!hasPeer(t, 'openssl', noOpenssl)) return;
  const path = await startMailPath();
  t.teardown(() => path.stop());
  for (const [option, version, suite, by] of OPENSSL) {
    for (const mode of ['starttls', 'implicit'] as const) {
      await deliverByOpenssl(path.port(mode), mode, option);
      const name = `${version} ${mode}`;
      t.match(await path.sink.next(), { from: 's@new.example', tls: { version } }, `${name}: arrived`);
      const session = await path.program.nextConnection();
      t.match(
        session,
        { outcome: 'completed', hello: { format: 'record' }, tls: { version, suite, path: by } },
        name,
      );
    }
  }
});

/** A dialogue by hand, since s_client knows only how to begin one. */
async function deliverByOpenssl(port: number, mode: 'starttls' | 'implicit', version: string): Promise<void> {
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-crlf', version];
  args.push('-cipher', 'ALL:@SECLEVEL=0', ...(mode === 'starttls' ? ['-starttls', 'smtp'] : []));
  const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const expect = async (code: string): Promise<void> => {
    for (;;) {
      const { value: line, done } = (await replies.next()) as { value: string; done?: boolean };
      if (done === true) throw new Error(`closed instead of ${code}`);
      if (line.startsWith(`${code} `)) return;
      if (!line.startsWith(`${code}-`)) throw new Error(`not ${code} but: ${line}`);
    }
  };
  const command = async (line: string, code: string): Promise<void> => {
    child.stdin.write(`${line}\n`);
    await expect(code);
  };
  if (mode === 'implicit') await expect('220');
  await command('EHLO openssl.example', '250');
  await command('MAIL FROM:<s@new.example>', '250');
  // Not RCPT: a line that begins with R would make s_client renegotiate.
  await command('rcpt TO:<r@new.example>', '250');
  await command('DATA', '354');
  await command('Subject: test\n\ntext\n.', '250');
  await command('quit', '221');
  child.stdin.end();
  await once(child, 'close');
}

test("Node's own TLS delivers a megabyte at TLS 1.0 to 1.3", async (t) => {
  const path = await startMailPath();
  t.teardown(() => path.stop());
  const message = makeMessage(1_000_000);
  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
    for (const mode of ['starttls', 'implicit'] as const) {
      const transport = createTransport({
        host: '127.0.0.1',
        port: path.port(mode),
        secure: mode === 'implicit',
        requireTLS: true,
        name: 'node.example',
        tls: {
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ciphers: 'ALL:@SECLEVEL=0',
        },
      });
      const envelope = { from: 'sender@new.example', to: ['recipient@new.example'] };
      await transport.sendMail({ envelope, raw: message.bytes });
      transport.close();
      const name = `${version} ${mode}`;
      t.match(
        await path.sink.next(),
        { sha256: message.sha256, tls: { version }, helo: 'node.example' },
        name,
      );
    }
  }
});

test('a modern client may be made to use the engine, and gets TLS 1.2 without a downgrade alarm', async (t) => {
  const path = await startMailPath({ tls: { profile: 'legacy' }, backend: { modern: 'engine' } });
  t.teardown(() => path.stop());
  const transport = createTransport({
    host: '127.0.0.1',
    port: path.port('implicit'),
    secure: true,
    tls: { rejectUnauthorized: false },
  });
  await transport.sendMail({ from: 'a@new.example', to: 'b@new.example', text: 'x' });
  transport.close();
  t.match(await path.program.nextConnection(), {
    tls: { path: 'engine', version: 'TLSv1.2', suite: /^ECDHE/ },
  });
});

const GROUPS = ['X25519', 'P-256', 'P-384', 'P-521', 'X448', 'ffdhe2048', 'X25519MLKEM768'];
for (const group of GROUPS.filter(isInThisOpenssl)) {
  test(`a TLS 1.3 client that has only ${group} is served by Node's TLS`, async (t) => {
    const offer = { rejectUnauthorized: false, minVersion: 'TLSv1.3', ecdhCurve: group } as const;
    const path = await startMailPath();
    t.teardown(() => path.stop());
    const client = connectTls({ ...offer, host: '127.0.0.1', port: path.port('implicit') });
    client.write('QUIT\r\n');
    const [greeting] = (await once(client, 'data')) as [Buffer];
    t.match(greeting.toString(), /^220 /);
    client.destroy();
    t.match(await path.program.nextConnection(), { tls: { path: 'native', version: 'TLSv1.3' } });
  });
}

/** Node 20 has OpenSSL 3.0, without ML-KEM. */
function isInThisOpenssl(group: string): boolean {
  try {
    createSecureContext({ ecdhCurve: group });
    return true;
  } catch {
    return false;
  }
}
