/** Exim behind oldhello: it knows its clients by the PROXY protocol, and its own TLS stays for those who can use it. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { proveGuide } from '../../support/backend-proofs.js';
import { eximLack, startExim } from '../../support/peers/exim.js';
import { missing } from '../../support/peers/job-client.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { NEW_CLIENT, OLD_CLIENT } from '../../support/trials.js';
import { logged } from '../../support/logged.js';

test('Exim', async (t) => {
  if (!hasPeer(t, 'exim', eximLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const exim = await startExim();
  await proveGuide(t, BACKEND_GUIDES.Exim, exim, {
    xclient: (t) =>
      t.rejects(startExim({ settings: 'hosts_xclient = 127.0.0.1' }), {
        message: /"hosts_xclient" option|hosts_xclient.*unknown/,
      }),
  });
  t.match(
    await logged(exim, `H=(old.example) [${OLD_CLIENT}]`),
    `H=(old.example) [${OLD_CLIENT}]`,
    'its log names the old client',
  );
  t.match(
    await logged(exim, `H=(modern.example) [${NEW_CLIENT}]`),
    `H=(modern.example) [${NEW_CLIENT}]`,
    'and the modern one',
  );
});
