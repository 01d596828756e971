/** docs/backends.md claims only what test/interop/backends proves. */
import { readdirSync } from 'node:fs';
import { test } from 'tap';
import { ABILITIES } from '../../tools/docs/backend-guides.js';
import { guides } from '../../tools/docs/backends.js';

test('every guide is proven, and describes how to do each thing that it claims', async (t) => {
  const proofs = readdirSync(new URL('../interop/backends/', import.meta.url));
  for (const [name, { abilities: can, setups }] of Object.entries(guides)) {
    t.ok(proofs.includes(`${name.toLowerCase()}.test.ts`), `${name} has a test with the server itself`);
    for (const ability of ['starttls', 'implicit', 'bridge', 'auth'] as const) {
      t.equal(ability in setups, can[ability] === 'yes', `${name}: ${ABILITIES[ability]}`);
    }
  }
});
