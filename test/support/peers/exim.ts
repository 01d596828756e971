/** An Exim of its own for one test, from Debian's exim4-daemon-heavy. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_GUIDES } from '../backend-guides.js';
import { FIRST_USER, overlayLack, startInOverlay, stopOverlay } from './in-overlay.js';
import {
  adapt,
  freePorts,
  linesFor,
  makeCertificate,
  makeMaildir,
  mtaFolder,
  untilListening,
  type Mta,
} from './mta.js';

export const eximLack = (): string | undefined => overlayLack('exim');

/** @param settings further lines of the main section */
export async function startExim(settings = '', routers = ''): Promise<Mta> {
  const folder = mtaFolder('exim');
  const certificate = makeCertificate(folder);
  const ports = await freePorts([10025, 10465]);
  const mail = join(folder, 'mail');
  const { next } = makeMaildir(mail, FIRST_USER);
  const replacements = [
    ...ports,
    ['/etc/ssl/backend.crt', certificate.chain],
    ['/etc/ssl/backend.key', certificate.key],
  ] as const;
  const guide = BACKEND_GUIDES.Exim;
  const child = startInOverlay({
    name: 'exim',
    shared: folder,
    users: ['Debian-exim'],
    files: {
      '/etc/exim4/exim4.conf': `primary_hostname = mta.example
log_file_path = ${folder}/%slog
log_selector = +incoming_port +tls_cipher
# Everybody who is taken for this host may relay, so that it shows if oldhello's clients are.
hostlist relay_from_hosts = 127.0.0.1
acl_smtp_rcpt = acl_rcpt
${adapt(linesFor(guide, 'main section'), replacements)}
${settings}
begin acl
acl_rcpt:
  accept domains = new.example
  accept hosts = +relay_from_hosts
  accept authenticated = *
  deny message = relay not permitted
begin routers
${routers}
here:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = ${mail}
  user = Debian-exim
begin authenticators
${adapt(linesFor(guide, 'section authenticators'), replacements)}
`,
    },
    script: `mkdir -p /var/spool/exim4
chown -R Debian-exim:Debian-exim /var/spool/exim4 ${folder}/mail
chown Debian-exim ${folder}
exec exim4 -bdf -q1m`,
  });
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  await untilListening(
    ports.values(),
    () => child.exitCode !== null,
    () => `Exim did not start: ${text('output')}`,
  );
  return {
    certificate: certificate.pem,
    backend: ({ backend }, identity = 'proxy-v2') =>
      adapt(backend, [...ports, ['/etc/oldhello/backend-ca.pem', certificate.chain], ['proxy-v2', identity]]),
    nextMessage: next,
    log: () => text('mainlog'),
    async stop() {
      await stopOverlay(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
