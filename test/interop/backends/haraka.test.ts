/** Haraka behind oldhello: PROXY version 1, or XCLIENT, its own TLS, and logins. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { proveGuide } from '../../support/backend-proofs.js';
import { harakaLack, startHaraka } from '../../support/peers/haraka.js';
import { missing } from '../../support/peers/job-client.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { NEW_CLIENT, OLD_CLIENT } from '../../support/trials.js';
import { logged } from '../../support/logged.js';

const GUIDE = BACKEND_GUIDES.Haraka;
const NOTHING = { starttls: 'no', implicit: 'no', bridge: 'no', auth: 'no', 'proxy-v2': 'no' } as const;

test('Haraka with the PROXY protocol', async (t) => {
  if (!hasPeer(t, 'haraka', harakaLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const haraka = await startHaraka('proxy');
  await proveGuide(t, { ...GUIDE, abilities: { ...GUIDE.abilities, xclient: 'no' } }, haraka);
  t.match(
    await logged(haraka, `src_ip=${OLD_CLIENT}`),
    `src_ip=${OLD_CLIENT}`,
    'its log names the old client',
  );
  t.match(await logged(haraka, `src_ip=${NEW_CLIENT}`), `src_ip=${NEW_CLIENT}`, 'and the modern one');
});

test('Haraka with XCLIENT', async (t) => {
  if (!hasPeer(t, 'haraka', harakaLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const haraka = await startHaraka('xclient');
  const setups = { xclient: GUIDE.setups.xclient };
  const guide = {
    ...GUIDE,
    setups,
    abilities: { ...GUIDE.abilities, ...NOTHING, 'proxy-v1': 'no' },
  } as const;
  await proveGuide(t, guide, haraka);
});
