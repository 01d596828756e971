/** GnuTLS, NSS and OpenSSL 3 as peers of an echo: their own command line clients, one process a connection. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProtocolVersionName } from '../../../src/tls/index.js';
import type { Exchange } from '../engine-echo-server.js';
import type { EchoPeer, Order, RunningEchoPeer } from './echo-peer.js';

export const openssl3: EchoPeer = {
  title: `OpenSSL ${versionIn('openssl', 'version')}`,
  lack: lackOf('openssl', 'openssl'),
  formats: ['record'],
  switches: ['serverName', 'maxFragmentLength', 'encryptThenMac', 'fallback'],
  usual: 50_000,
  bulk: 16 * 2 ** 20,
  start: () => inFolder(openssl3Commands),
};

export const gnutls: EchoPeer = {
  title: `GnuTLS ${versionIn('gnutls-cli', '--version')}`,
  lack: lackOf('gnutls-cli', 'gnutls-bin'),
  formats: ['record'],
  switches: ['serverName', 'maxFragmentLength', 'encryptThenMac', 'extendedMasterSecret', 'fallback'],
  // It writes a byte at a time, each with a system call.
  usual: 4096,
  bulk: 2 ** 20,
  start: () => inFolder(gnutlsCommands),
};

export const nss: EchoPeer = {
  title: `NSS ${versionIn('dpkg-query', '-W', '-f', '${Version}', 'libnss3-tools')}`,
  lack: lackOf('tstclnt', 'libnss3-tools'),
  formats: ['record'],
  switches: ['serverName', 'fallback'],
  usual: 50_000,
  bulk: 16 * 2 ** 20,
  start: () =>
    inFolder(nssCommands, (folder) => spawnSync('certutil', ['-N', '-d', folder, '--empty-password'])),
};

/** The first two numbers of the version that a command prints. */
function versionIn(command: string, ...args: string[]): string {
  const { error, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return (error === undefined && /\d+\.\d+/.exec(stdout)?.[0]) || 'of unknown version';
}

function lackOf(command: string, debianPackage: string): string | undefined {
  const { error } = spawnSync(command, ['--version']);
  return error === undefined ? undefined : `needs ${command}, of Debian's package ${debianPackage}`;
}

type Plan = (port: number, order: Order, folder: string) => Command[];

/** One process, and what it is to do. */
interface Command {
  readonly command: string;
  readonly args: readonly string[];
  /** Its connections, in their order. */
  readonly exchanges: readonly Exchange[];
  /** Bytes through its standard input. */
  readonly size: number;
  /** Whether all of them come back on its standard output, and nothing else does. */
  readonly echoes: boolean;
  /** Bytes that may be on their way at a time. */
  readonly window?: number;
}

/** A peer whose files are in a folder of their own as long as it runs. */
function inFolder(plan: Plan, prepare: (folder: string) => unknown = () => undefined): RunningEchoPeer {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-peer-'));
  prepare(folder);
  return {
    async run(server, order) {
      const commands = plan(server.port, order, folder);
      server.expect(commands.flatMap(({ exchanges }) => exchanges));
      for (const command of commands) {
        const problem = await echo(command);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** Standard input goes out, and the same must come back; then the side whose turn it is closes. */
async function echo({
  command,
  args,
  size,
  echoes,
  window = WINDOW_BYTES,
  exchanges,
}: Command): Promise<string | undefined> {
  const child = spawn(command, args, { stdio: 'pipe', timeout: TIMEOUT_MS });
  let complaints = '';
  let written = 0;
  let received = 0;
  let differs = false as boolean;
  const sent = patternOf(size);
  // These clients do not read while they cannot write: no more may be on its way than the path holds.
  const write = (): void => {
    const next = Math.min(size, received + window);
    if (next > written) child.stdin.write(sent.subarray(written, next));
    written = next;
    if (received >= size || !echoes) child.stdin.end();
  };
  child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
  // The peer may have closed before it has read everything.
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (bytes: Buffer) => {
    differs ||= !bytes.equals(sent.subarray(received, received + bytes.length));
    received += bytes.length;
    write();
  });
  write();
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0 && (!echoes || (received === size && !differs))) return undefined;
  const last = complaints.trim().split('\n').at(-1);
  return `${command} of ${exchanges.length}: ${signal ?? code}, ${received} of ${size} bytes came back, ${last}`;
}

function patternOf(size: number): Buffer {
  const pattern = Buffer.alloc(size);
  for (let at = 0; at < size; at++) pattern[at] = at * 31 + (at >> 8);
  return pattern;
}

const WINDOW_BYTES = 65_536;
/** Milliseconds, after which a client that hangs is ended. */
const TIMEOUT_MS = 30_000;

// ---- OpenSSL ----

const OPENSSL_VERSIONS = {
  SSLv3: '-ssl3',
  TLSv1: '-tls1',
  'TLSv1.1': '-tls1_1',
  'TLSv1.2': '-tls1_2',
} as const satisfies Record<ProtocolVersionName, string>;

function openssl3Commands(port: number, order: Order, folder: string): Command[] {
  const { handshake, exchanges, tickets, serverName, maxFragmentLength } = order;
  const session = join(folder, 'session');
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-nocommands', '-no_ign_eof'];
  args.push(OPENSSL_VERSIONS[handshake.version], '-cipher', `${handshake.suite.opensslName}:@SECLEVEL=0`);
  if (!tickets) args.push('-no_ticket');
  if (serverName !== undefined) args.push('-servername', serverName);
  if (maxFragmentLength !== undefined) args.push('-maxfraglen', `${maxFragmentLength}`);
  if (order.encryptThenMac === false) args.push('-no_etm');
  if (order.fallback === true) args.push('-fallback_scsv');
  return exchanges.map((exchange, index) => ({
    command: 'openssl',
    args: [...args, ...(index === 0 ? ['-sess_out', session] : ['-sess_in', session])],
    exchanges: [exchange],
    size: exchange.size,
    echoes: true,
  }));
}

// ---- GnuTLS ----

const GNUTLS_VERSIONS = {
  SSLv3: 'VERS-SSL3.0',
  TLSv1: 'VERS-TLS1.0',
  'TLSv1.1': 'VERS-TLS1.1',
  'TLSv1.2': 'VERS-TLS1.2',
} as const satisfies Record<ProtocolVersionName, string>;

/** Resumes within one process only, and does nothing on the first connection of such a one. */
function gnutlsCommands(port: number, order: Order, folder: string): Command[] {
  const [first, second] = order.exchanges;
  const args = ['--insecure', '--no-ca-verification', '--logfile', join(folder, 'log')];
  args.push('--port', `${port}`, '--priority', gnutlsPriority(order));
  const { serverName, maxFragmentLength } = order;
  if (serverName !== undefined) args.push('--sni-hostname', serverName);
  if (maxFragmentLength !== undefined) args.push('--recordsize', `${maxFragmentLength}`);
  // It makes one record of what it reads at once, and forgets what does not fit.
  const window = maxFragmentLength ?? WINDOW_BYTES;
  const command = { command: 'gnutls-cli', args: [...args, '127.0.0.1'], echoes: true, window };
  const full = { ...command, exchanges: [first!], size: first!.size };
  if (second === undefined) return [full];
  const again = { ...command, args: ['--resume', ...command.args], size: second.size };
  return [full, { ...again, exchanges: [{ size: 0, closer: 'client' }, second] }];
}

function gnutlsPriority({ handshake, tickets, ...order }: Order): string {
  const { suite, version } = handshake;
  const [keyExchange, protection] = suite.name.slice('TLS_'.length).split('_WITH_') as [string, string];
  const cipher = protection.replace(/_(MD5|SHA|SHA256|SHA384)$/, '');
  const priority = ['NONE', `+${GNUTLS_VERSIONS[version]}`, `+${GNUTLS_CIPHERS[cipher] ?? cipher}`];
  priority.push(`+${keyExchange.replace('_', '-')}`, `+${GNUTLS_MACS[suite.mac ?? 'aead']}`);
  priority.push('+GROUP-ALL', '+SIGN-ALL', '+SIGN-RSA-SHA1', '+CTYPE-X509', '%VERIFY_ALLOW_BROKEN');
  if (!tickets) priority.push('%NO_TICKETS');
  if (order.encryptThenMac === false) priority.push('%NO_ETM');
  if (order.extendedMasterSecret === false) priority.push('%NO_SESSION_HASH');
  if (order.fallback === true) priority.push('%FALLBACK_SCSV');
  return priority.join(':');
}

const GNUTLS_CIPHERS: Record<string, string> = {
  RC4_128: 'ARCFOUR-128',
  '3DES_EDE_CBC': '3DES-CBC',
  DES_CBC: 'DES-CBC',
  AES_128_CBC: 'AES-128-CBC',
  AES_256_CBC: 'AES-256-CBC',
  AES_128_GCM: 'AES-128-GCM',
  AES_256_GCM: 'AES-256-GCM',
  CHACHA20_POLY1305: 'CHACHA20-POLY1305',
  CAMELLIA_128_CBC: 'CAMELLIA-128-CBC',
  CAMELLIA_256_CBC: 'CAMELLIA-256-CBC',
};

const GNUTLS_MACS = { md5: 'MD5', sha1: 'SHA1', sha256: 'SHA256', sha384: 'SHA384', aead: 'AEAD' } as const;

// ---- NSS ----

const NSS_VERSIONS = {
  SSLv3: 'ssl3',
  TLSv1: 'tls1.0',
  'TLSv1.1': 'tls1.1',
  'TLSv1.2': 'tls1.2',
} as const satisfies Record<ProtocolVersionName, string>;

/**
 * tstclnt is done when both sides have said everything, so there the server closes first; told to stop after the
 * handshake, it sends what it has and closes. Only strsclnt resumes with a chosen suite: one request a connection.
 */
function nssCommands(port: number, order: Order, folder: string): Command[] {
  const { suite, version } = order.handshake;
  const [first, ...more] = order.exchanges;
  const cipher = `:${suite.id.toString(16).padStart(4, '0')}`;
  const common = [
    '-p',
    `${port}`,
    '-d',
    folder,
    '-o',
    '-V',
    `${NSS_VERSIONS[version]}:${NSS_VERSIONS[version]}`,
  ];
  // strsclnt fails when it was to take a ticket and got none, which SSLv3 has not.
  if (order.tickets && version !== 'SSLv3') common.push('-u');
  if (order.serverName !== undefined) common.push('-a', order.serverName);
  const alone = [...common, '-h', '127.0.0.1', '-c', cipher];
  if (order.fallback === true) alone.push('-K');
  const full = { command: 'tstclnt', args: [...alone, '-f'], size: first!.size, echoes: true };
  const commands: Command[] = [{ ...full, exchanges: [{ size: first!.size, closer: 'server' }] }];
  if (more.length === 0) return commands;
  const brief = { command: 'tstclnt', args: [...alone, '-f', '-Q'], size: 1, echoes: false };
  const request: Exchange = { size: NSS_REQUEST_LENGTH, closer: 'server' };
  const again = {
    command: 'strsclnt',
    args: [...common, '-q', '-t', '1', '-c', '2', '-C', cipher, '127.0.0.1'],
    size: 0,
    echoes: false,
  };
  commands.push({ ...brief, exchanges: [{ size: 1, closer: 'client' }] });
  commands.push({ ...again, exchanges: [request, request] });
  return commands;
}

/** Bytes: GET /abc HTTP/1.0 with its empty line. */
const NSS_REQUEST_LENGTH = 21;
