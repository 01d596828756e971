/** What oldhello makes once and keeps in its state directory, and what it does about damage. */
import { generatePrimeSync } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { loadSmallDhGroup } from '../../src/credentials/small-dh-group.js';

const PRIME = readFileSync(new URL('../support/dh1024.hex', import.meta.url), 'latin1').trim();

test('a self-signed certificate is kept, and made again where its file or that of its key is empty or missing', (t) => {
  const folder = t.testdir();
  const certificate = (): string => selfSignedCredential(folder, 'mx.example').chainPem;
  let before = certificate();
  t.equal(certificate(), before);
  const [crt, key] = [join(folder, 'self-signed.crt'), join(folder, 'self-signed.key')];
  const damages = [
    (): void => writeFileSync(crt, ''),
    (): void => writeFileSync(key, ''),
    (): void => rmSync(crt),
    (): void => rmSync(key),
  ];
  for (const damage of damages) {
    damage();
    const after = certificate();
    t.not(after, before);
    t.equal(certificate(), after);
    before = after;
  }
  t.same(readdirSync(folder).sort(), ['self-signed.crt', 'self-signed.key']);
  t.equal(statSync(key).mode & 0o777, 0o600);
  t.end();
});

test('a 1024-bit group that was damaged on disk is not used, and made again', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'dh1024.hex');
  let made = 0;
  const load = async (): Promise<string> => {
    const group = await loadSmallDhGroup(folder, () => {
      made += 1;
      return Promise.resolve(Buffer.from(PRIME, 'hex'));
    });
    return group.prime.toString('hex');
  };
  const damaged = {
    missing: undefined,
    empty: '',
    short: PRIME.slice(0, 100),
    'one digit less': PRIME.slice(1),
    'of 1023 bits': `7${PRIME.slice(1)}`,
    'not hex': `${PRIME.slice(0, -2)}zz`,
    'not prime': `${PRIME.slice(0, -1)}${PRIME.endsWith('1') ? '3' : '1'}`,
  };
  for (const [what, text] of Object.entries(damaged)) {
    if (text === undefined) rmSync(file, { force: true });
    else writeFileSync(file, text);
    made = 0;
    t.equal(await load(), PRIME);
    t.equal(made, 1, what);
    t.equal(await load(), PRIME);
    t.equal(made, 1, 'then it is kept');
  }
  t.same(readdirSync(folder), ['dh1024.hex']);
});

test('a prime that is not a safe one is not used', async (t) => {
  const prime = generatePrimeSync(1024, { add: 24n, rem: 1n });
  const folder = t.testdir({ 'dh1024.hex': Buffer.from(prime).toString('hex') });
  const group = await loadSmallDhGroup(folder, () => Promise.resolve(Buffer.from(PRIME, 'hex')));
  t.equal(group.prime.toString('hex'), PRIME);
});
