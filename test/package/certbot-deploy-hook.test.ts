/** The deploy hook for certbot, with programs of its own in place of those that change files. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const HOOK = fileURLToPath(new URL('../../packaging/certbot-deploy-hook', import.meta.url));
const INSTALL = `case "$*" in *fullchain*) exit 1;; esac`;

test('where the chain cannot be written, the key stays the old one, and nothing new is left behind', async (t) => {
  const folder = t.testdir();
  const calls = join(folder, 'calls');
  for (const [name, script] of Object.entries({ install: INSTALL, mv: '', rm: '', systemctl: '' })) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\nbase=\${0##*/}\necho "$base $*" >>'${calls}'\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const { status } = spawnSync('/bin/sh', [HOOK], { env: { PATH: folder, RENEWED_LINEAGE: '/renewed' } });
  t.equal(status, 1, 'certbot shows the failure');
  t.ok(existsSync(calls));
  const called = readFileSync(calls, 'utf8').trimEnd().split('\n');
  t.same(
    called.map((line) => line.split(' ')[0]),
    ['install', 'install', 'install', 'rm'],
  );
  t.match(called.at(-1), /privkey\.pem\.new .*fullchain\.pem\.new$/);
});
