/** A Postfix of its own for one test: own folder, own loopback port, nothing outside touched. Needs root, as Postfix does. */
import { spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCredential } from '../../../src/credentials/credentials.js';

export interface Mta {
  readonly port: number;
  /** Its queue folder. */
  readonly queue: string;
  /** The next delivered message that was not asked for yet; waits for it. */
  nextMessage(): Promise<string>;
  log(): string;
  stop(): void;
}

export function postfixLack(): string | undefined {
  if (!existsSync('/usr/sbin/postfix')) return 'needs Postfix';
  return process.getuid?.() === 0 ? undefined : 'Postfix starts as root only';
}

/** Lines of main.cf for a TLS of Postfix's own, and what it can be known by. */
export function postfixTls(): { readonly settings: Record<string, string>; readonly pin: string } {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-postfix-tls-'));
  const { keyPem, chainPem } = selfSignedCredential(folder, 'mta.example');
  const file = join(folder, 'both.pem');
  writeFileSync(file, keyPem + chainPem);
  const spki = new X509Certificate(chainPem).publicKey.export({ type: 'spki', format: 'der' });
  return {
    settings: { smtpd_tls_chain_files: file, smtpd_tls_security_level: 'may', smtpd_tls_loglevel: '1' },
    pin: createHash('sha256').update(spki).digest('base64'),
  };
}

/**
 * @param settings further lines of main.cf
 * @param services further lines of master.cf
 * @param sasl sasl/smtpd.conf, for logins
 * @param runner what to start it with, such as a shell in another namespace; it gets the command as its arguments
 */
export async function startPostfix(
  settings: Record<string, string> = {},
  services = '',
  sasl = '',
  runner: readonly string[] = [],
): Promise<Mta> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-postfix-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const mail = join(folder, 'mail', 'new');
  for (const name of ['etc', 'etc/sasl', 'queue', 'data', 'mail']) mkdirSync(join(folder, name));
  for (const name of ['new', 'cur', 'tmp']) mkdirSync(join(folder, 'mail', name));
  const id = (flag: string): string => spawnSync('id', [flag, 'postfix']).stdout.toString().trim();
  spawnSync('chown', ['-R', 'postfix', join(folder, 'data'), join(folder, 'mail')]);
  writeFileSync(join(folder, 'etc', 'main.cf'), mainCf(folder, id, settings));
  writeFileSync(join(folder, 'etc', 'master.cf'), masterCf(port) + services);
  writeFileSync(join(folder, 'etc', 'sasl', 'smtpd.conf'), sasl);
  const postfix = (...args: string[]): ReturnType<typeof spawnSync> => {
    const [command, ...rest] = [...runner, 'postfix', '-c', join(folder, 'etc'), ...args];
    return spawnSync(command!, rest, {
      encoding: 'utf8',
      env: { ...process.env, MAIL_CONFIG: join(folder, 'etc') },
    });
  };
  const started = postfix('start');
  const log = (): string => readFileSync(join(folder, 'log'), 'utf8');
  if (started.status !== 0) throw new Error(`Postfix did not start: ${String(started.stderr)}`);
  let asked = 0;
  return {
    port,
    queue: join(folder, 'queue'),
    log,
    nextMessage() {
      const index = asked++;
      return new Promise((resolve) => {
        const look = (): boolean => {
          const names = readdirSync(mail).sort((a, b) => mtime(mail, a) - mtime(mail, b));
          const name = names[index];
          if (name === undefined) return false;
          watcher.close();
          resolve(readFileSync(join(mail, name), 'latin1'));
          return true;
        };
        const watcher = watch(mail, () => void look());
        look();
      });
    },
    stop() {
      postfix('stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function mtime(folder: string, name: string): number {
  // Maildir names begin with the time of delivery, then a counter of microseconds behind M.
  const [, seconds, micro] = /^(\d+)\..*M(\d+)/.exec(name) ?? [];
  return Number(seconds ?? 0) * 1e6 + Number(micro ?? 0) + (folder === '' ? 1 : 0);
}

function mainCf(folder: string, id: (flag: string) => string, settings: Record<string, string>): string {
  const lines: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: folder,
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'mta.example',
    mydestination: '',
    // Nobody is trusted by address, so that nothing is relayed whatever the proxy does.
    mynetworks: '',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    virtual_mailbox_domains: 'new.example',
    virtual_mailbox_base: folder,
    virtual_mailbox_maps: 'static:mail/',
    virtual_uid_maps: `static:${id('-u')}`,
    virtual_gid_maps: `static:${id('-g')}`,
    virtual_minimum_uid: '1',
    smtpd_upstream_proxy_protocol: 'haproxy',
    smtpd_peername_lookup: 'no',
    smtputf8_enable: 'no',
    ...settings,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/** Lines of master.cf for a further SMTP server with settings of its own. */
export function smtpService(port: number, settings: Readonly<Record<string, string>>): string {
  const options = Object.entries(settings).map(([key, value]) => `  -o {${key} = ${value}}\n`);
  return `127.0.0.1:${port} inet n - n - - smtpd\n${options.join('')}`;
}

function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`;
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
