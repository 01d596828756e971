/** A sendmail of its own for one test, from Debian's package. */
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { overlayLack } from './in-overlay.js';
import type { Mta } from './mta.js';
import { startUnpacked } from './unpacked-mta.js';

const SASLPASSWD = fileURLToPath(new URL('../../../.peers/mta/sasl/usr/sbin/saslpasswd2', import.meta.url));

export const sendmailLack = (): string | undefined => overlayLack('sendmail') ?? overlayLack('sasl');

/** @param guarded with the rules that keep it from relaying for who seems to be on its own host */
export async function startSendmail(guarded = true): Promise<Mta> {
  const sendmail = await startUnpacked({
    name: 'sendmail',
    guide: BACKEND_GUIDES.sendmail,
    users: ['smmta', 'smmsp'],
    files: ({ mail, lines }) => ({
      '/etc/hosts': `127.0.0.1 localhost mta.example ${hostname()}\n`,
      '/etc/mail/service.switch': 'hosts files\naliases files\n',
      '/usr/lib/sasl2/Sendmail.conf': lines('/usr/lib/sasl2/Sendmail.conf'),
      '/usr/local/bin/store': `#!/bin/sh
cat >${mail}/tmp/$$ && mv ${mail}/tmp/$$ ${mail}/new/$$
`,
      '/etc/mail/sendmail.mc': `include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`linux')dnl
undefine(\`PROCMAIL_MAILER_PATH')dnl
define(\`confDOMAIN_NAME', \`mta.example')dnl
define(\`STATUS_FILE', \`')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/service.switch')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confDEF_USER_ID', \`smmta:smmta')dnl
define(\`LOCAL_MAILER_PATH', \`/usr/local/bin/store')dnl
dnl Without an address among its arguments it would be spoken to in SMTP.
define(\`LOCAL_MAILER_ARGS', \`store $u')dnl
define(\`LOCAL_MAILER_FLAGS', \`Phn9')dnl
MODIFY_MAILER_FLAGS(\`LOCAL', \`-wA')dnl
dnl However busy the machine is:
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
LOCAL_DOMAIN(\`new.example')dnl
${lines('sendmail.mc')}
MAILER(\`local')dnl
MAILER(\`smtp')dnl
${guarded ? lines('sendmail.mc, at its end') : ''}
`,
    }),
    script: ({ folder }) => `mkdir -p -m 700 /var/spool/mqueue
mkdir -p /run/sendmail/mta
chmod 755 /etc/mail /usr/local/bin/store
cp ${folder}/self-signed.crt /etc/mail/backend.crt
cp ${folder}/self-signed.key /etc/mail/backend.key
chmod 600 /etc/mail/backend.key
printf secret | ${SASLPASSWD} -p -c -f /etc/sasldb2 -u mta.example anna
m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf
exec /usr/libexec/sendmail/sendmail -bD -q1m -X ${folder}/traffic`,
  });
  return { ...sendmail, knowsClients: false };
}
