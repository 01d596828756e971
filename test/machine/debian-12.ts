/** A booted Debian 12, whose systemd 252 does not know Type=notify-reload: the drop-in of docs/operation.md serves it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { buildNodeStandIn } from '../support/node-stand-in.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { BootedMachine, DEBIAN_12, machineLack, until } from './booted-machine.js';
import { documentCommands } from './document-commands.js';
import { makeCertificate, makePackage } from './shared-files.js';

const INSTALL = `
dpkg --force-unsafe-io -i /mnt/nodejs.deb /mnt/oldhello_*_all.deb
cp /usr/share/doc/oldhello/examples/mx.toml /etc/oldhello/oldhello.toml
install -o root -g oldhello -m 0640 /mnt/fullchain.pem /mnt/privkey.pem /etc/oldhello/tls/
`;
const EVENT_TIMEOUT_MS = 20_000;

test('on a booted Debian 12', async (t) => {
  if (!hasPeer(t, 'a booted Debian 12', machineLack(DEBIAN_12))) return;
  const shared = mkdtempSync(join(tmpdir(), 'oldhello-machine-'));
  makePackage(shared);
  makeCertificate(shared);
  buildNodeStandIn(shared);
  const machine = await BootedMachine.boot(shared, DEBIAN_12);
  t.teardown(async () => {
    await machine.halt();
    rmSync(shared, { recursive: true, force: true });
  });
  const ok = async (commands: string): Promise<string> => {
    const { code, output } = await machine.run(commands);
    t.equal(code, 0, commands.trim(), { output });
    return output;
  };
  const property = async (name: string): Promise<string> =>
    (await ok(`systemctl show oldhello --property=${name} --value`)).trim();
  const logged = (event: string): Promise<boolean> =>
    until(EVENT_TIMEOUT_MS, async () => {
      const { output } = await machine.run('journalctl -t oldhello -o cat --no-pager');
      return output.includes(`"event":"${event}"`) || undefined;
    });

  t.match(await ok('systemctl --version'), /^systemd 252 /);
  await ok(INSTALL);
  const dropIn = documentCommands('docs/operation.md').blocks.get('older-systemd');
  await ok(dropIn ?? 'false');
  await ok('systemctl enable --now oldhello');
  t.equal(await property('Type'), 'notify');
  t.equal(await property('ActiveState'), 'active');
  t.ok(await logged('started'), 'systemctl start returns when it serves');
  const started = await property('StatusText');
  t.match(started, /\S/, 'it shows systemd its state');
  await ok('systemctl reload oldhello');
  t.ok(await logged('reloaded'));
  t.equal(await property('ActiveState'), 'active');
  t.equal(await property('NRestarts'), '0');
  await ok('systemctl stop oldhello; ! systemctl is-failed oldhello');
  t.ok(await logged('stopped'));
});
