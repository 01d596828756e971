/** The example of the engine alone does what it says, with clients that we did not write. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { RSA } from '../support/test-server.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/echo-server.js', import.meta.url));

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

interface EchoServer {
  readonly port: number;
  /** Says one line for each connection that is established, and one when it ends. */
  readonly lines: Interface;
}

async function startExample(t: Test): Promise<EchoServer> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-echo-'));
  const [chain, key] = [join(folder, 'chain.pem'), join(folder, 'key.pem')];
  writeFileSync(chain, RSA.credential.chain.map(pem).join(''));
  writeFileSync(key, RSA.key.export({ type: 'pkcs8', format: 'pem' }));
  const child = spawn(process.execPath, [EXAMPLE, chain, key], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A terminal under test sets it, and Node then colours numbers that console.log gets as such.
    env: { ...process.env, FORCE_COLOR: '1' },
  });
  t.teardown(async () => {
    child.kill();
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  });
  const lines = createInterface({ input: child.stdout });
  const [listening] = (await once(lines, 'line')) as [string];
  return { port: Number(/^listening (\d+)$/.exec(listening)?.[1]), lines };
}

const job = { kind: 'echo', rounds: '50000:client', tickets: 'yes' } as const;

test('the JDK gets its echo from the example, by an SSLv2-format hello and after it', async (t) => {
  if (!hasPeer(t, 'jdk', missing('jdk'))) return;
  const { port, lines } = await startExample(t);
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const jdk = startJobClient('jdk');
  t.teardown(() => jdk.close());
  const ciphers = 'SSL_RSA_WITH_RC4_128_MD5,TLS_EMPTY_RENEGOTIATION_INFO_SCSV';
  t.match(await jdk.run({ ...job, port, protocols: 'SSLv2Hello,SSLv3', ciphers }), { ok: true });
  const rounds = '50000:client,50000:client';
  t.match(await jdk.run({ ...job, port, protocols: 'TLSv1.2', ciphers, rounds }), { ok: true });
  t.match(
    said.filter((line) => !line.startsWith('ended')),
    ['sslv2 SSLv3 RC4-MD5 false', 'record TLSv1.2 RC4-MD5 false', 'record TLSv1.2 RC4-MD5 true'],
  );
});

test('OpenSSL 1.0.2 gets its echo from the example', async (t) => {
  if (!hasPeer(t, 'nassl', missing('nassl'))) return;
  const { port } = await startExample(t);
  const openssl = startJobClient('nassl');
  t.teardown(() => openssl.close());
  const ciphers = 'DES-CBC3-SHA:SSLv2';
  t.match(await openssl.run({ ...job, port, protocols: 'SSLV23', ciphers }), {
    ok: true,
    cipher: 'DES-CBC3-SHA',
  });
});
