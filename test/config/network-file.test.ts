/** What is said about a networks-file that is another file. */
import { join } from 'node:path';
import { test } from 'tap';
import { ConfigError } from '../../src/config/config-error.js';
import { readNetworkFile } from '../../src/config/network-file.js';

function complaint(path: string): string {
  try {
    readNetworkFile(path);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('of a private key that was named instead of a list, no line is repeated', async (t) => {
  const folder = t.testdir({ 'tls.key': `${'MIIE'.repeat(16)}\n192.0.2.0/24\n10/8\n` });
  const said = complaint(join(folder, 'tls.key'));
  t.notMatch(said, 'MIIE');
  t.match(said, /tls\.key:1: found a line of 64 characters; allowed: a network/);
  t.match(said, /tls\.key:3: found "10\/8"; allowed: a network/);
});

test('the longest network that can be written has room', async (t) => {
  const network = 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128';
  const folder = t.testdir({ good: `${network}\n`, bad: `${network.replace('/128', '/129')}\n` });
  t.equal(complaint(join(folder, 'good')), '');
  t.match(complaint(join(folder, 'bad')), `found "${network.replace('/128', '/129')}"`);
});
