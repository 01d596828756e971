/** Postfix behind oldhello, with the services of docs/backends.md. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { proveGuide } from '../../support/backend-proofs.js';
import { guidedPostfixLack, startGuidedPostfix } from '../../support/peers/guided-postfix.js';
import { missing } from '../../support/peers/job-client.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { NEW_CLIENT, OLD_CLIENT } from '../../support/trials.js';
import { logged } from '../../support/logged.js';

test('Postfix', async (t) => {
  if (!hasPeer(t, 'postfix', guidedPostfixLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const postfix = await startGuidedPostfix();
  await proveGuide(t, BACKEND_GUIDES.Postfix, postfix);
  t.match(
    await logged(postfix, `client=unknown[${OLD_CLIENT}]`),
    `client=unknown[${OLD_CLIENT}]`,
    'its log names the old client',
  );
  t.match(
    await logged(postfix, `client=unknown[${NEW_CLIENT}]`),
    `client=unknown[${NEW_CLIENT}]`,
    'and the modern one',
  );
  t.match(
    await logged(postfix, `client=unknown[${NEW_CLIENT}], sasl_method=PLAIN, sasl_username=anna`),
    `client=unknown[${NEW_CLIENT}], sasl_method=PLAIN, sasl_username=anna`,
  );
});
