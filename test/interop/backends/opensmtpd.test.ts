/** OpenSMTPD behind oldhello: PROXY version 2, its own TLS, and logins, which it offers inside TLS only. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { proveGuide, talk } from '../../support/backend-proofs.js';
import { missing } from '../../support/peers/job-client.js';
import { opensmtpdLack, startOpensmtpd } from '../../support/peers/opensmtpd.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { NEW_CLIENT, OLD_CLIENT, type Way } from '../../support/trials.js';
import { logged } from '../../support/logged.js';

const GUIDE = BACKEND_GUIDES.OpenSMTPD;

test('OpenSMTPD', async (t) => {
  if (!hasPeer(t, 'opensmtpd', opensmtpdLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const opensmtpd = await startOpensmtpd();
  const v1: Way = {
    name: 'no v1',
    mode: 'starttls',
    backend: opensmtpd.backend(GUIDE.setups.plain, 'proxy-v1'),
  };
  await proveGuide(
    t,
    GUIDE,
    opensmtpd,
    {
      'proxy-v1': async (t, trials) => {
        const [greeting] = await talk(trials.port(v1), NEW_CLIENT, []);
        t.match(greeting, /^421 4\.3\.0 proxy\.example /);
        t.match(await trials.nextConnection(), { outcome: 'backend_failed', reason: 'backend_closed' });
      },
    },
    [v1],
  );
  t.match(
    await logged(opensmtpd, `connected address=${OLD_CLIENT}`),
    `connected address=${OLD_CLIENT}`,
    'its log names the old client',
  );
  t.match(
    await logged(opensmtpd, `connected address=${NEW_CLIENT}`),
    `connected address=${NEW_CLIENT}`,
    'and the modern one',
  );
});
