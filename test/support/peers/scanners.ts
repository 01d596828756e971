/** The scanners that administrators run against a TLS port, and what each of them found. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Mode = 'starttls' | 'implicit';
export type Version = 'SSLv3' | 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** Suites by the name in the registry, for each version that the scanner says is offered. */
export type Found = ReadonlyMap<Version, readonly string[]>;

interface Output {
  readonly code: number;
  readonly text: string;
}

const SSLYZE = fileURLToPath(new URL('../../../.peers/venv/bin/sslyze', import.meta.url));
/** A scan that hangs fails the test and not the run. */
const SCAN_TIMEOUT_MS = 180_000;

export const LACKS = {
  sslscan: lackOf('sslscan'),
  nmap: lackOf('nmap'),
  testssl: lackOf('testssl'),
  sslyze: existsSync(SSLYZE) ? undefined : 'needs sslyze in .peers/venv',
} as const;

function lackOf(command: string): string | undefined {
  return spawnSync(command, ['--version']).error === undefined ? undefined : `needs ${command}`;
}

/** Resolves also where the scanner fails: a finding is no exit code. */
function run(command: string, args: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    const options = { timeout: SCAN_TIMEOUT_MS, maxBuffer: 1 << 24 };
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: stdout + stderr });
    });
  });
}

/** sslscan lists no suites of SSLv3. */
export async function sslscan(port: number, mode: Mode): Promise<{ found: Found; text: string }> {
  const starttls = mode === 'starttls' ? ['--starttls-smtp'] : [];
  const { text } = await run('sslscan', ['--no-colour', ...starttls, `127.0.0.1:${port}`]);
  const lines = [...text.matchAll(/^(?:Preferred|Accepted) +(\S+) +\d+ bits +(\S+)/gm)];
  return { found: gathered(lines.map(([, version, suite]) => [versionOf(version!), suite!])), text };
}

/** By name of the service, which nmap's scripts go by, without a probe of its own. */
export async function nmap(port: number, mode: Mode): Promise<{ found: Found; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-nmap-'));
  try {
    const services = join(folder, 'services');
    writeFileSync(services, `${mode === 'starttls' ? 'smtp' : 'smtps'}\t${port}/tcp\t0.9\n`);
    const scripts = 'ssl-enum-ciphers,sslv2,ssl-poodle,smtp-commands';
    const { text } = await run('nmap', [
      '-Pn',
      '-n',
      '--servicedb',
      services,
      '--script',
      scripts,
      '127.0.0.1',
    ]);
    const found: [Version, string][] = [];
    let version: Version = 'SSLv3';
    for (const [, heading, suite] of text.matchAll(/^\|_? +(?:(SSLv3|TLSv1\.\d): *$|(TLS_\w+) \()/gm)) {
      if (heading === undefined) found.push([version, suite!.replace('TLS_AKE_WITH', 'TLS')]);
      else version = versionOf(heading);
    }
    return { found: gathered(found), text };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface SslyzeSuites {
  readonly result: {
    readonly accepted_cipher_suites: readonly { readonly cipher_suite: { readonly name: string } }[];
  };
}

export interface SslyzeReport extends Readonly<Record<`${string}_cipher_suites`, SslyzeSuites>> {
  readonly heartbleed: { readonly result: { readonly is_vulnerable_to_heartbleed: boolean } };
  readonly openssl_ccs_injection: { readonly result: { readonly is_vulnerable_to_ccs_injection: boolean } };
  readonly robot: { readonly result: { readonly robot_result: string } };
  readonly session_renegotiation: {
    readonly result: { readonly is_vulnerable_to_client_renegotiation_dos: boolean };
  };
  readonly tls_fallback_scsv: { readonly result: { readonly supports_fallback_scsv: boolean } };
}

export async function sslyze(port: number, mode: Mode): Promise<{ found: Found; report: SslyzeReport }> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-sslyze-'));
  try {
    const file = join(folder, 'report.json');
    const starttls = mode === 'starttls' ? ['--starttls', 'smtp'] : [];
    const { text } = await run(SSLYZE, [
      ...starttls,
      '--slow_connection',
      `--json_out=${file}`,
      `127.0.0.1:${port}`,
    ]);
    if (!existsSync(file)) throw new Error(text);
    const { server_scan_results: results } = JSON.parse(readFileSync(file, 'utf8')) as {
      server_scan_results: readonly { scan_result: SslyzeReport | null }[];
    };
    const report = results[0]?.scan_result;
    if (report === null || report === undefined) throw new Error(text);
    const found: [Version, string][] = [];
    for (const [key, version] of SSLYZE_KEYS) {
      for (const { cipher_suite } of report[key]!.result.accepted_cipher_suites)
        found.push([version, cipher_suite.name]);
    }
    return { found: gathered(found), report };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SSLYZE_KEYS = [
  ['ssl_3_0_cipher_suites', 'SSLv3'],
  ['tls_1_0_cipher_suites', 'TLSv1'],
  ['tls_1_1_cipher_suites', 'TLSv1.1'],
  ['tls_1_2_cipher_suites', 'TLSv1.2'],
  ['tls_1_3_cipher_suites', 'TLSv1.3'],
] as const;

/**
 * testssl.sh tries one suite after another and takes a minute for them.
 * @param what `protocols`: which versions; `suites`: all suites, whatever the version
 */
export async function testssl(
  port: number,
  mode: Mode,
  what: 'protocols' | 'suites',
): Promise<{ suites: readonly string[]; text: string }> {
  const { text } = await run('testssl', [
    ...[
      '--quiet',
      '--color',
      '0',
      '--warnings',
      'batch',
      '--connect-timeout',
      '10',
      '--openssl-timeout',
      '10',
    ],
    ...(mode === 'starttls' ? ['-t', 'smtp'] : []),
    what === 'protocols' ? '-p' : '-e',
    `127.0.0.1:${port}`,
  ]);
  return { suites: [...text.matchAll(/^ x\w+ .* (TLS_\w+) *$/gm)].map(([, name]) => name!), text };
}

function versionOf(name: string): Version {
  return (name === 'TLSv1.0' ? 'TLSv1' : name) as Version;
}

function gathered(pairs: readonly (readonly [Version, string])[]): Found {
  const found = new Map<Version, string[]>();
  for (const [version, suite] of pairs) found.set(version, [...(found.get(version) ?? []), suite]);
  return found;
}
