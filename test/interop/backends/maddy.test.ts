/** maddy behind oldhello: a mail server in Go, of the kind that can do nothing with an SSLv2-format hello. */
import { test } from 'tap';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { proveGuide } from '../../support/backend-proofs.js';
import { missing, startJobClient } from '../../support/peers/job-client.js';
import { maddyLack, startMaddy } from '../../support/peers/maddy.js';
import { hasPeer } from '../../support/peers/require-peer.js';
import { makeMessage } from '../../support/message.js';
import { NEW_CLIENT, OLD_CLIENT } from '../../support/trials.js';
import { logged } from '../../support/logged.js';

test('maddy', async (t) => {
  if (!hasPeer(t, 'maddy', maddyLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
  const maddy = await startMaddy();
  await t.test(
    'without oldhello it refuses the SSLv2 format, and nothing else about that client',
    async (t) => {
      const jdk = startJobClient('jdk');
      const job = {
        kind: 'mail',
        port: maddy.unguarded,
        mode: 'starttls',
        ciphers: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
        helo: 'old.example',
        from: 'sender@old.example',
        to: 'recipient@new.example',
        file: makeMessage(1000).file,
      } as const;
      t.match(await jdk.run({ ...job, protocols: 'TLSv1.2' }), { ok: true, protocol: 'TLSv1.2' });
      t.match(await maddy.nextMessage(), 'From: sender@old.example');
      const refused = await jdk.run({ ...job, protocols: 'SSLv2Hello,TLSv1.2' });
      t.match(refused, { ok: false, phase: 'handshake' });
      jdk.close();
    },
  );
  await proveGuide(t, BACKEND_GUIDES.maddy, maddy);
  t.match(
    await logged(maddy, `"src_ip":"${OLD_CLIENT}:`),
    `"src_ip":"${OLD_CLIENT}:`,
    'its log names the old client',
  );
  t.match(await logged(maddy, `"src_ip":"${NEW_CLIENT}:`), `"src_ip":"${NEW_CLIENT}:`, 'and the modern one');
});
