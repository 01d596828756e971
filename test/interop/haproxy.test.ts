/** HAProxy on both sides: its headers are believed by us, and ours by it. */
import { createTransport } from 'nodemailer';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { comeFrom } from '../support/from-address.js';
import { makeMessage } from '../support/message.js';
import { haProxyLack, startHaProxy } from '../support/peers/haproxy.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

const CLIENT = '127.0.0.55';

function start(backendPort: number, identity: string, listener: Table = {}): Promise<Program> {
  return startProgram(
    proxyConfig({
      listeners: [listener],
      backend: { address: backendPort, identity },
      tls: { profile: 'ancient' },
    }),
    1,
  );
}

async function send(port: number, options: object): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    localAddress: CLIENT,
    name: 'modern.example',
    tls: { rejectUnauthorized: false, servername: 'mx.example' },
    ...options,
  });
  await transport.sendMail({ from: 'a@modern.example', to: 'b@new.example', text: 'hello' });
  transport.close();
}

/** The words of HAProxy's log line: who came, the connection's id, the server name. */
const SEEN = 'seen %ci %cp id=%[fc_pp_unique_id] name=%[fc_pp_authority]';

for (const identity of ['proxy-v2', 'proxy-v1'] as const) {
  test(`HAProxy takes our ${identity} header, checksum and all`, async (t) => {
    if (!hasPeer(t, 'haproxy', haProxyLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
    const sink = await startTestSink();
    const server = `127.0.0.1:${sink.port} send-proxy-v2`;
    const haproxy = await startHaProxy({ bind: 'accept-proxy', log: SEEN, server });
    const program = await start(haproxy.port, identity);
    t.teardown(async () => {
      await program.stop();
      haproxy.stop();
      sink.close();
    });
    await send(program.ports.get('mx')!, { requireTLS: true });
    t.match(await sink.next(), { client: CLIENT });
    const modern = await program.nextConnection();
    const detour = await comeFrom('127.0.0.56', program.ports.get('mx')!);
    const jdk = startJobClient('jdk');
    await jdk.run({
      kind: 'mail',
      port: detour.port,
      mode: 'starttls',
      protocols: 'SSLv2Hello,SSLv3',
      ciphers: 'SSL_RSA_WITH_RC4_128_MD5',
      helo: 'old.example',
      from: 'a@old.example',
      to: 'b@new.example',
      file: makeMessage(1000).file,
    });
    jdk.close();
    detour.close();
    t.match(await sink.next(), { client: '127.0.0.56' });
    const old = await program.nextConnection();
    // A client has two sessions with the backend: before STARTTLS and in TLS.
    const lines: string[] = [];
    while (lines.length < 4) {
      const line = await haproxy.nextLine();
      if (/seen 127\.0\.0\.5[56] /.test(line)) lines.push(line);
    }
    for (const [session, name] of [
      [modern, 'mx.example'],
      [old, '-'],
    ] as const) {
      const { address, port } = session.client;
      const mine = lines.filter((line) => line.includes(`seen ${address} ${port} `));
      t.equal(mine.length, 2, 'HAProxy saw the client itself, in both sessions');
      if (identity === 'proxy-v1') continue;
      t.ok(
        mine.every((line) => line.includes(`id=${session.connection} `)),
        'under the id of our log',
      );
      t.ok(
        mine.some((line) => line.endsWith(`name=${name}`)),
        'with the server name it asked for',
      );
    }
  });
}

for (const header of [
  'send-proxy',
  'send-proxy-v2',
  'send-proxy-v2 proxy-v2-options ssl,cert-sig,cert-key,unique-id,crc32c',
]) {
  test(`we take the header of a load balancer with ${header}`, async (t) => {
    if (!hasPeer(t, 'haproxy', haProxyLack())) return;
    const sink = await startTestSink();
    const program = await start(sink.port, 'proxy-v2', { 'proxy-protocol': ['127.0.0.1/32'] });
    const { chainPem, keyPem } = selfSignedCredential(
      mkdtempSync(join(tmpdir(), 'oldhello-haproxy-')),
      'lb.example',
    );
    const haproxy = await startHaProxy({
      bind: 'ssl crt PEM',
      pem: chainPem + keyPem,
      log: 'passed %ci %cp',
      rules: ['unique-id-format %ci-%cp'],
      server: `127.0.0.1:${program.ports.get('mx')!} ${header}`,
    });
    t.teardown(async () => {
      haproxy.stop();
      await program.stop();
      sink.close();
    });
    await send(haproxy.port, { secure: true, ignoreTLS: true });
    t.match(await sink.next(), { client: CLIENT });
    t.match(await program.nextConnection(), { client: { address: CLIENT }, outcome: 'plaintext' });
  });
}
