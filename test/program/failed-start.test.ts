/** A start that fails: what is printed, and the exit code by which systemd repeats it or not. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { CLI } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';

async function serve(t: Test, address: string): Promise<{ code: unknown; text: string }> {
  const folder = t.testdir();
  const file = join(folder, 'oldhello.toml');
  writeFileSync(file, proxyConfig({ server: { 'state-directory': folder }, listeners: [{ address }] }));
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'serve', '--config', file], (error, _, stderr) => {
      resolve({ code: error?.code ?? 0, text: stderr });
    });
  });
}

test('exit code 1 for a port that another program has, or an address that is not there, 2 for a mistake', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const taken = await serve(t, `127.0.0.1:${port}`);
  t.equal(taken.code, 1);
  t.match(
    taken.text,
    new RegExp(
      `oldhello\\.toml:\\d+: listener\\[0\\]\\.address: cannot listen on 127\\.0\\.0\\.1:${port}: another program listens there`,
    ),
  );
  const absent = await serve(t, '192.0.2.1:2525');
  t.equal(absent.code, 1);
  t.match(absent.text, 'cannot listen on 192.0.2.1:2525: this machine does not have that address');
  t.equal((await serve(t, '127.0.0.1:70000')).code, 2);
});
