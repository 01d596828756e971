/** Our PROXY headers, read by a decoder that others wrote: the Python package proxy-protocol. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { encodeProxyV1 } from '../../src/proxy-protocol/v1.js';
import { encodeProxyV2 } from '../../src/proxy-protocol/v2.js';
import { PYTHON } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';

const DECODER = fileURLToPath(new URL('../support/peers/decode_proxy.py', import.meta.url));
const lack =
  spawnSync(PYTHON, ['-c', 'import proxyprotocol, crc32c'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'needs the Python packages proxy-protocol and crc32c';

async function decode(...headers: readonly Buffer[]): Promise<Record<string, unknown>[]> {
  const child = spawn(PYTHON, [DECODER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => answers.push(JSON.parse(line) as Record<string, unknown>));
  child.stdin.end(headers.map((header) => `${header.toString('hex')}\n`).join(''));
  await once(lines, 'close');
  return answers;
}

const IPV4 = {
  command: 'PROXY',
  source: { address: '192.0.2.7', port: 40_000 },
  destination: { address: '198.51.100.1', port: 25 },
} as const;
const IPV6 = {
  command: 'PROXY',
  source: { address: '2001:db8::7', port: 65_535 },
  destination: { address: '2001:db8::1', port: 465 },
} as const;

test('addresses, ports and all that was agreed for TLS arrive, under a valid checksum', async (t) => {
  if (!hasPeer(t, 'proxy-protocol', lack)) return;
  const ssl = {
    version: 'SSLv3',
    cipher: 'RC4-MD5',
    signatureAlgorithm: 'RSA-SHA256',
    keyAlgorithm: 'RSA2048',
  };
  const facts = { uniqueId: '0123456789abcdef', authority: 'mx.example', ssl, helloFormat: 'sslv2' };
  const [v4, v6, bare, local] = await decode(
    encodeProxyV2(IPV4, facts),
    encodeProxyV2(IPV6, facts),
    encodeProxyV2(IPV4),
    encodeProxyV2({ command: 'LOCAL' }),
  );
  const known = {
    authority: 'mx.example',
    unique_id: '0123456789abcdef',
    hello_format: 'sslv2',
    has_ssl: true,
    verified: false,
    version: 'SSLv3',
    cipher: 'RC4-MD5',
    sig_alg: 'RSA-SHA256',
    key_alg: 'RSA2048',
  };
  t.match(v4, { ...known, source: ['192.0.2.7', '40000'], destination: ['198.51.100.1', '25'] });
  t.match(v6, { ...known, source: ['2001:db8::7', '65535'], destination: ['2001:db8::1', '465'] });
  for (const one of [v4, v6, bare, local]) t.match(one, { intact: true });
  t.match(bare, { kind: 'ProxyResultIPv4', has_ssl: false, authority: null });
  t.match(local, { kind: 'ProxyResultLocal' }, 'for health checks');
});

test('the decoder rejects damaged headers, so that its acceptance counts', async (t) => {
  if (!hasPeer(t, 'proxy-protocol', lack)) return;
  const damaged = encodeProxyV2(IPV4, { uniqueId: 'x' });
  damaged[17]! ^= 1;
  t.match(await decode(damaged), [{ intact: false }]);
});

test('version 1 is read as well', async (t) => {
  if (!hasPeer(t, 'proxy-protocol', lack)) return;
  const mixed = { ...IPV4, destination: IPV6.destination };
  const [v4, v6, both] = await decode(encodeProxyV1(IPV4), encodeProxyV1(IPV6), encodeProxyV1(mixed));
  t.match(v4, { kind: 'ProxyResultIPv4', source: ['192.0.2.7', '40000'] });
  t.match(v6, { kind: 'ProxyResultIPv6', source: ['2001:db8::7', '65535'] });
  t.match(both, {
    kind: 'ProxyResultIPv6',
    source: ['::ffff:c000:207', '40000'],
    destination: ['2001:db8::1', '465'],
  });
});
