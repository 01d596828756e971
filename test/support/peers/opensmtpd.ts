/** An OpenSMTPD of its own for one test, from Debian's package. */
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { overlayLack } from './in-overlay.js';
import type { Mta } from './mta.js';
import { startUnpacked } from './unpacked-mta.js';

export const opensmtpdLack = (): string | undefined => overlayLack('opensmtpd');

export function startOpensmtpd(): Promise<Mta> {
  return startUnpacked({
    name: 'opensmtpd',
    guide: BACKEND_GUIDES.OpenSMTPD,
    users: ['vmail', 'opensmtpd', 'opensmtpq'],
    files: ({ mail, lines }) => ({
      '/etc/smtpd.conf': `table recipients { "@new.example" = "vmail" }
${lines('smtpd.conf')}
action "keep" maildir "${mail}" virtual <recipients>
action "relay" relay
match from any for domain "new.example" action "keep"
# Everybody who is taken for this host may relay, so that it shows if oldhello's clients are.
match from local for any action "relay"
match auth from any for any action "relay"
`,
    }),
    script: ({ folder }) => `mkdir -p -m 711 /var/spool/smtpd
mkdir -p /var/lib/opensmtpd/empty /run
chmod 600 /etc/smtpd.conf ${folder}/*.key
exec smtpd -d`,
  });
}
