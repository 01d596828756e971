/** An Exim of its own for one test, from Debian's exim4-daemon-heavy, or from exim4-daemon-light. */
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { overlayLack } from './in-overlay.js';
import type { Mta } from './mta.js';
import { startUnpacked } from './unpacked-mta.js';

/** As folders below .peers/mta. */
type Daemon = 'exim' | 'exim-light';

export interface EximOptions {
  /** Further lines of the main section. */
  readonly settings?: string;
  /** Before the one that delivers here. */
  readonly routers?: string;
  /** Beside the one that delivers here. */
  readonly transports?: string;
  /** Whether PROXY headers give it the client's address. */
  readonly proxied?: boolean;
  readonly daemon?: Daemon;
}

export const eximLack = (daemon: Daemon = 'exim'): string | undefined => overlayLack(daemon);

export function startExim({
  settings = '',
  routers = '',
  transports = '',
  proxied = true,
  daemon = 'exim',
}: EximOptions = {}): Promise<Mta> {
  return startUnpacked({
    name: daemon,
    guide: BACKEND_GUIDES.Exim,
    users: ['Debian-exim'],
    logFile: 'mainlog',
    files: ({ folder, mail, lines }) => ({
      '/etc/exim4/exim4.conf': `primary_hostname = mta.example
log_file_path = ${folder}/%slog
# Everybody who is taken for this host may relay, so that it shows if oldhello's clients are.
hostlist relay_from_hosts = 127.0.0.1
acl_smtp_rcpt = acl_rcpt
${proxied ? lines('main section') : lines('main section').replace(/^hosts_proxy .*$/m, '')}
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
${transports}
maildir:
  driver = appendfile
  maildir_format
  directory = ${mail}
  user = Debian-exim
begin authenticators
${lines('section authenticators')}
`,
    }),
    script: ({ folder }) => `mkdir -p /var/spool/exim4
chown Debian-exim:Debian-exim /var/spool/exim4 ${folder}
exec exim4 -bdf -q1m`,
  });
}
