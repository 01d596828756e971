/** A Dovecot of its own for one test, set up as docs/other-protocols.md says, with one user and one message. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adapt, freePorts, mtaFolder, untilListening } from './mta.js';

export interface Dovecot {
  /** For connections with a PROXY header. */
  readonly imapPort: number;
  readonly pop3Port: number;
  log(): string;
  stop(): Promise<void>;
}

export const MAILBOX = { user: 'reader', pass: 'secret', text: 'a message in the mailbox' } as const;

export function dovecotLack(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for Dovecot';
  const lacking = ['imap-login', 'pop3-login'].some(
    (name) => spawnSync('test', ['-x', `/usr/lib/dovecot/${name}`]).status !== 0,
  );
  return lacking ? "needs Debian's dovecot-imapd and dovecot-pop3d" : undefined;
}

export async function startDovecot(): Promise<Dovecot> {
  const folder = mtaFolder('dovecot');
  const uid = idOf('nobody');
  const mail = join(folder, 'mail');
  for (const path of [mail, join(mail, 'new'), join(mail, 'cur'), join(mail, 'tmp')]) {
    mkdirSync(path);
    chownSync(path, uid, uid);
  }
  const message = join(mail, 'new', '1.one.example');
  writeFileSync(message, `From: a@old.example\nSubject: test\n\n${MAILBOX.text}\n`);
  chownSync(message, uid, uid);
  const users = join(folder, 'users');
  writeFileSync(users, `${MAILBOX.user}:{PLAIN}${MAILBOX.pass}:${uid}:${uid}::${mail}\n`);
  chmodSync(users, 0o644);
  const ports = await freePorts([10143, 10110]);
  const file = join(folder, 'dovecot.conf');
  writeFileSync(
    file,
    `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap pop3
ssl = no
mail_location = maildir:${mail}
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = passwd-file
  args = ${users}
}
userdb {
  driver = passwd-file
  args = ${users}
}
service imap-login {
  inet_listener imap {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
}
${adapt(documented(), ports)}`,
  );
  const log = (): string => readFileSync(join(folder, 'log'), 'latin1');
  const child = spawn('dovecot', ['-F', '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilListening(ports.values(), () => child.exitCode !== null, log);
  return {
    imapPort: ports.get(10143)!,
    pop3Port: ports.get(10110)!,
    log,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The lines for Dovecot in the documentation. */
function documented(): string {
  const page = readFileSync(new URL('../../../docs/other-protocols.md', import.meta.url), 'utf8');
  return /\n```\n(haproxy_trusted_networks[^`]*)```/.exec(page)![1]!;
}

function idOf(user: string): number {
  return Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout);
}
