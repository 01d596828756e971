/** Mail servers as senders: what is in their queue goes through oldhello, over TLS that they insist on. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { talk } from '../../support/backend-proofs.js';
import { startMailPath } from '../../support/mail-path.js';
import { eximLack, startExim } from '../../support/peers/exim.js';
import { postfixLack, startPostfix } from '../../support/peers/postfix.js';
import { hasPeer } from '../../support/peers/require-peer.js';

const LETTER = [
  'EHLO user.example',
  'MAIL FROM:<user@here.example>',
  'RCPT TO:<someone@elsewhere.example>',
  'DATA',
  'Subject: test\r\n\r\ntext\r\n.',
];
const ARRIVED = {
  from: 'user@here.example',
  to: ['someone@elsewhere.example'],
  client: '127.0.0.1',
  hello: 'record',
  tls: { version: 'TLSv1.3' },
};

test('Postfix delivers through oldhello', async (t) => {
  if (!hasPeer(t, 'postfix', postfixLack())) return;
  const path = await startMailPath();
  const postfix = await startPostfix(
    {
      smtpd_upstream_proxy_protocol: '',
      mynetworks: '127.0.0.1/32',
      smtpd_relay_restrictions: 'permit_mynetworks, reject',
      relayhost: `[127.0.0.1]:${path.port('starttls')}`,
      smtp_tls_security_level: 'encrypt',
    },
    'smtp unix - - n - - smtp\nrelay unix - - n - - smtp\n',
  );
  t.teardown(async () => {
    postfix.stop();
    await path.stop();
  });
  t.match((await talk(postfix.port, '127.0.0.1', LETTER)).at(-2), /^250 /, 'queued');
  t.match(await path.sink.next(), { ...ARRIVED, helo: 'mta.example' });
  t.match(await path.program.nextConnection(), { outcome: 'completed', tls: { path: 'native' } });
});

test('Exim delivers through oldhello', async (t) => {
  if (!hasPeer(t, 'exim', eximLack())) return;
  const path = await startMailPath();
  const exim = await startExim({
    routers: `away:
  driver = manualroute
  domains = ! new.example
  route_list = * 127.0.0.1
  self = send
  transport = smtp`,
    transports: `smtp:
  driver = smtp
  port = ${path.port('starttls')}
  allow_localhost
  hosts_require_tls = *`,
  });
  t.teardown(async () => {
    await exim.stop();
    await path.stop();
  });
  const port = Number(/:(\d+)"/.exec(exim.backend(BACKEND_GUIDES.Exim.setups.plain))![1]);
  const header = `PROXY TCP4 127.0.0.1 127.0.0.1 1024 ${port}\r\n`;
  t.match((await talk(port, '127.0.0.1', LETTER, header)).at(-2), /^250 /, 'queued');
  t.match(await path.sink.next(), { ...ARRIVED, helo: 'mta.example' });
  t.match(await path.program.nextConnection(), { outcome: 'completed', tls: { path: 'native' } });
});
