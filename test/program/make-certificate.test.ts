/** Certificates that old clients can read: made by one command, used by the proxy, each shown to those that need it. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createSecureContext, type ConnectionOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { certificateInfo } from '../../src/credentials/certificate-info.js';
import { startProgram } from '../support/program.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const OLD: ConnectionOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1',
  ciphers: 'AES128-SHA:@SECLEVEL=0',
};
const MODERN: ConnectionOptions = { ciphers: 'DEFAULT:@SECLEVEL=0' };

async function makePair(t: Test, ...names: string[]): Promise<{ folder: string; stdout: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-pair-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const args = [CLI, 'make-certificate', ...names, '--out', folder];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return { folder, stdout };
}

interface Shown {
  readonly version: string | null;
  readonly signature: string;
}

function shown(port: number, options: ConnectionOptions): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      const certificate = socket.getPeerX509Certificate()!;
      resolve({ version: socket.getProtocol(), signature: certificateInfo(certificate).signatureAlgorithm });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

async function startWith(t: Test, certificates: readonly Table[]): Promise<number> {
  const program = await startProgram(proxyConfig({ listeners: [{ mode: 'implicit' }], certificates }), 1);
  t.teardown(() => program.stop());
  return program.ports.get('mx')!;
}

test('the pair is signed by an authority that stays, with keys for their owner only', async (t) => {
  const { folder, stdout } = await makePair(t, 'mail.example.org', '192.0.2.25');
  const certificate = (name: string): X509Certificate =>
    new X509Certificate(readFileSync(join(folder, name)));
  for (const [leaf, ca, algorithm] of [
    ['legacy.crt', 'ca-sha1.crt', 'RSA-SHA1'],
    ['modern.crt', 'ca.crt', 'RSA-SHA256'],
  ] as const) {
    t.equal(certificateInfo(certificate(leaf)).signatureAlgorithm, algorithm);
    t.equal(certificateInfo(certificate(ca)).signatureAlgorithm, algorithm);
    t.ok(certificate(leaf).verify(certificate(ca).publicKey), `${leaf} is signed by ${ca}`);
    t.ok(certificate(leaf).checkHost('mail.example.org'));
    t.ok(certificate(leaf).checkIP('192.0.2.25'));
  }
  for (const key of ['ca.key', 'legacy.key', 'modern.key']) {
    t.equal(statSync(join(folder, key)).mode & 0o007, 0, `${key} is not for everybody`);
  }
  t.match(stdout, /use = "legacy"/);
  const before = readFileSync(join(folder, 'ca.crt'), 'latin1');
  const leaf = readFileSync(join(folder, 'modern.crt'), 'latin1');
  await promisify(execFile)(process.execPath, [CLI, 'make-certificate', 'mail.example.org', '--out', folder]);
  t.equal(readFileSync(join(folder, 'ca.crt'), 'latin1'), before, 'a renewal keeps the authority');
  t.not(readFileSync(join(folder, 'modern.crt'), 'latin1'), leaf);
  for (const wrong of [[], ['a b'], ['mail.example.org', '--days', '0']]) {
    const args = [CLI, 'make-certificate', ...wrong, '--out', folder];
    await t.rejects(promisify(execFile)(process.execPath, args), { code: 2 });
  }
});

test('with the pair, an old client is shown SHA-1 and a modern one SHA-256', async (t) => {
  const { folder } = await makePair(t, 'mail.example.org');
  const of = (kind: string): Table => ({
    chain: join(folder, `${kind}.crt`),
    key: join(folder, `${kind}.key`),
  });
  const port = await startWith(t, [of('modern'), { ...of('legacy'), use: 'legacy' }]);
  t.same(await shown(port, OLD), { version: 'TLSv1', signature: 'RSA-SHA1' });
  t.same(await shown(port, MODERN), { version: 'TLSv1.3', signature: 'RSA-SHA256' });
});

test("with a SHA-1 chain alone everybody is served, by the engine where Node's TLS refuses the chain", async (t) => {
  const { folder } = await makePair(t, 'mail.example.org');
  const version = isRefusedByNode(folder) ? 'TLSv1.2' : 'TLSv1.3';
  const port = await startWith(t, [{ chain: join(folder, 'legacy.crt'), key: join(folder, 'legacy.key') }]);
  t.same(await shown(port, OLD), { version: 'TLSv1', signature: 'RSA-SHA1' });
  t.same(await shown(port, MODERN), { version, signature: 'RSA-SHA1' });
});

/** Of Node 20, not of Node 22 and later. */
function isRefusedByNode(folder: string): boolean {
  try {
    createSecureContext({
      cert: readFileSync(join(folder, 'legacy.crt')),
      key: readFileSync(join(folder, 'legacy.key')),
    });
    return false;
  } catch {
    return true;
  }
}
