/** The private keys, and that whoever asked for their work is not kept by it. */
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'tap';
import { KeyRing } from '../../src/credentials/keys.js';
import { bytesLeft } from '../support/short-collections.js';
import { ECDSA, heldIn, RSA } from '../support/test-server.js';

test('a callback that waited for a signature is gone with the next short collection', async (t) => {
  const ring = new KeyRing();
  t.teardown(() => ring.close());
  const { credential, key } = heldIn('rsa-4096.pem');
  ring.add(credential, key);
  const operation = {
    kind: 'sign',
    credential,
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

for (const { name, held, atOnce } of [
  { name: 'RSA of 2048 bits', held: RSA, atOnce: true },
  { name: 'P-256', held: ECDSA, atOnce: true },
  { name: 'RSA of 4096 bits', held: heldIn('rsa-4096.pem'), atOnce: false },
]) {
  test(`a signature by ${name} is there ${atOnce ? 'at once' : 'later'}, and good`, async (t) => {
    const ring = new KeyRing();
    t.teardown(() => ring.close());
    ring.add(held.credential, held.key);
    const data = Buffer.from('what is signed');
    const operation = { kind: 'sign', credential: held.credential, hash: 'sha256', data } as const;
    let returned = false;
    const result = new Promise<unknown>((resolve) => {
      ring.operate(operation, (signature) => {
        t.equal(returned, !atOnce);
        resolve(signature);
      });
      returned = true;
    });
    t.ok(verify('sha256', data, createPublicKey(held.key), (await result) as Buffer));
  });
}

test('the end of a decryption thread that failed is not taken for that of the next one', async (t) => {
  const ring = new KeyRing();
  t.teardown(() => ring.close());
  const { credential, key } = heldIn('rsa-4096.pem');
  const ciphertext = Buffer.alloc(credential.modulusLength, 1);
  // Neither the key nor memory for a block in its place: the thread ends.
  const broken = { ...credential, modulusLength: Number.MAX_SAFE_INTEGER };
  ring.add(broken, ECDSA.key);
  ring.add(credential, key);
  const second = await new Promise((resolve) => {
    ring.operate({ kind: 'decrypt', credential: broken, ciphertext }, (first) => {
      t.ok(first instanceof Error);
      ring.operate({ kind: 'decrypt', credential, ciphertext }, resolve);
    });
  });
  t.ok(Buffer.isBuffer(second));
});
