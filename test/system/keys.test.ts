/** The private keys, and that whoever asked for their work is not kept by it. */
import { test } from 'tap';
import { KeyRing } from '../../src/system/keys.js';
import { bytesLeft } from '../support/short-collections.js';
import { ECDSA } from '../support/test-server.js';

test('who waited for a signature is gone with the next short collection', async (t) => {
  const ring = new KeyRing();
  t.teardown(() => ring.close());
  ring.add(ECDSA.credential, ECDSA.key);
  const operation = {
    kind: 'sign',
    credential: ECDSA.credential,
    hash: 'sha1',
    data: Buffer.alloc(64),
  } as const;
  const left = await bytesLeft(
    () =>
      new Promise((resolve, reject) => {
        const belongings = new Array<number>(500).fill(0);
        ring.operate(operation, (result) => {
          if (Buffer.isBuffer(result) && belongings.length === 500) resolve();
          else reject(new Error('no signature'));
        });
      }),
  );
  t.ok(left < 2500, `${Math.round(left)} bytes, of 4000 and what Node keeps itself`);
});
