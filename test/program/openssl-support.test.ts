/** oldhello on machines whose OpenSSL refuses what old TLS needs: it says so and does not start. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { makeCertificate } from '../support/certificate.js';
import { CLI } from '../support/program.js';
import { proxyConfig, type ProxyConfig } from '../support/proxy-config.js';

/** A module that runs before the program, and lets OpenSSL refuse what these functions are called with. */
function machine(refusals: Readonly<Record<string, string>>): string {
  const source = `
    import crypto from 'node:crypto';
    import { syncBuiltinESMExports } from 'node:module';
    for (const [name, refused] of Object.entries(${JSON.stringify(refusals)})) {
      const real = crypto[name];
      crypto[name] = (algorithm, ...rest) => {
        if (!new RegExp(refused).test(algorithm)) return real(algorithm, ...rest);
        throw new Error('error:0308010C:digital envelope routines::unsupported');
      };
    }
    syncBuiltinESMExports();`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** What the FIPS provider of OpenSSL 3.0 has not. */
const FIPS_MODE = machine({ createHash: '^md5', createHmac: '^md5', createCipheriv: 'camellia|chacha20' });
/** The default crypto policy of RHEL 9. */
const NO_SHA1_SIGNATURES = machine({ sign: 'sha1' });

interface Run {
  readonly code: number | null;
  readonly output: string;
}

function run(t: Test, command: 'serve' | 'check', preload: string, config: ProxyConfig): Run {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-openssl-support-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { chainPem, keyPem } = makeCertificate('mx.example', [-1, 90]);
  writeFileSync(join(folder, 'mx.crt'), chainPem);
  writeFileSync(join(folder, 'mx.key'), keyPem, { mode: 0o600 });
  const file = join(folder, 'oldhello.toml');
  writeFileSync(
    file,
    proxyConfig({
      server: { 'state-directory': folder },
      certificates: [{ chain: 'mx.crt', key: 'mx.key' }],
      ...config,
    }),
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`--import=${preload}`, CLI, command, '--config', file],
    { encoding: 'utf8', timeout: 20_000 },
  );
  return { code: status, output: stdout + stderr };
}

test('in FIPS mode it does not start, and names what OpenSSL refuses and what needs it', async (t) => {
  const { code, output } = run(t, 'serve', FIPS_MODE, { tls: { profile: 'legacy' } });
  t.equal(code, 2, output);
  t.match(output, /oldhello\.toml:\d+: tls\.profile: the OpenSSL of this machine \(3\.\S+, in Node\.js \d+/);
  t.match(
    output,
    /refuses MD5 and SHA-1 \(for TLSv1\.1 and older\), .*chacha20-poly1305 \(for ECDHE-ECDSA-CHACHA20\S+\).*leave FIPS mode/,
  );
});

test('where signatures with SHA-1 are refused, the certificate and the settings that help are named', async (t) => {
  const legacy = run(t, 'serve', NO_SHA1_SIGNATURES, { tls: { profile: 'legacy' } });
  t.equal(legacy.code, 2, legacy.output);
  t.match(
    legacy.output,
    /tls\.profile: .* refuses signatures with md5-sha1 by the RSA2048 key of \S+mx\.crt \(for TLSv1\.1 and older\), signatures with sha1/,
  );
  t.match(legacy.output, /set min-version = "TLSv1\.2" and profile = "intermediate", or/);
  const policy = {
    tls: { profile: 'intermediate' },
    policies: [{ networks: ['192.0.2.0/24'], profile: 'ancient' }],
  };
  t.match(
    run(t, 'serve', NO_SHA1_SIGNATURES, policy).output,
    /: policy\[0\]\.profile: .* refuses signatures/,
  );
});

test('check reports it too, and has no finding where the profile needs none of it', async (t) => {
  const legacy = run(t, 'check', NO_SHA1_SIGNATURES, { tls: { profile: 'legacy' } });
  t.equal(legacy.code, 1, legacy.output);
  t.match(legacy.output, /BAD {2}tls\.profile: openssl-support: the OpenSSL of this machine/);
  const intermediate = run(t, 'check', NO_SHA1_SIGNATURES, { tls: { profile: 'intermediate' } });
  t.notMatch(intermediate.output, /: openssl-support: /);
});
