/** sendmail behind oldhello: it cannot be told who its clients are, which makes it relay for all unless it is kept from it. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { mayRelay, proveGuide, talk } from '../../support/backend-proofs.js';
import { missing } from '../../support/peers/job-client.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { sendmailLack, startSendmail } from '../../support/peers/sendmail.js';
import { NEW_CLIENT, Trials, type Way } from '../../support/trials.js';

const { plain } = BACKEND_GUIDES.sendmail.setups;

test('sendmail', async (t) => {
  if (!hasPeer(t, 'sendmail', sendmailLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const sendmail = await startSendmail();
  const clear: Way = { name: 'plain', mode: 'starttls', backend: sendmail.backend(plain) };
  const v1: Way = { ...clear, name: 'v1', backend: clear.backend.replace('"none"', '"proxy-v1"') };
  const trials = await proveGuide(
    t,
    BACKEND_GUIDES.sendmail,
    sendmail,
    {
      'proxy-v1': async (t, trials) => {
        const [, reply] = await talk(trials.port(v1), NEW_CLIENT, ['EHLO modern.example']);
        // Its refusal of the header may come before EHLO, or in place of the reply to it.
        t.match(reply, /^(?:421 4\.3\.0 proxy\.example |500 .*PROXY)/);
        t.match(await trials.nextConnection(), { outcome: 'backend_failed', reason: 'reply_unexpected' });
      },
      xclient: async (t, trials) => {
        const [, offered] = await talk(trials.port(clear), NEW_CLIENT, ['EHLO modern.example']);
        t.match(offered, '250 ');
        t.notMatch(offered, 'XCLIENT');
        await trials.nextConnection();
      },
    },
    [clear, v1],
  );
  await t.test('takes mail in clear from both clients, as if from its own host', (t) =>
    trials.bothArrive(t, clear, { tls: false, path: 'native' }),
  );
  await t.test('relays for no client, if it has the rules for that', async (t) => {
    t.match(await mayRelay(trials.port(clear), NEW_CLIENT), /^550 /);
  });
});

test('sendmail without those rules is an open relay behind oldhello', async (t) => {
  if (!hasPeer(t, 'sendmail', sendmailLack())) return;
  const sendmail = await startSendmail(false);
  const clear: Way = { name: 'plain', mode: 'starttls', backend: sendmail.backend(plain) };
  const trials = await Trials.start(t, sendmail, [clear]);
  t.match(await mayRelay(trials.port(clear), NEW_CLIENT), /^250 /);
});
