/** What `oldhello check` says of what several machines share: ticket keys in a file, and a session store. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { checkStore, checkTicketKeys } from '../../src/check/sharing.js';
import { parseConfig } from '../../src/config/load.js';
import { freePort } from '../support/peers/postfix.js';
import { redisLack, startRedis } from '../support/peers/redis.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { proxyConfig, type ProxyConfig, type Table } from '../support/proxy-config.js';

const NOW = new Date('2030-06-15T12:00:00Z');
const KEYS: ProxyConfig = { tls: { 'ticket-key-file': 'ticket.keys' } };
const KEY = `${randomBytes(48).toString('base64')}\n`;

function configOf(folder: string, more: ProxyConfig = {}): ReturnType<typeof parseConfig> {
  return parseConfig(proxyConfig(more), join(folder, 'oldhello.toml'));
}

/** `verdict: message; advice` of each finding. @param age days since the file was changed */
async function checkKeys(text: string, mode = 0o600, age = 0.5): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-keys-'));
  const file = join(folder, 'ticket.keys');
  writeFileSync(file, text);
  chmodSync(file, mode);
  const changed = new Date(NOW.getTime() - age * 86_400_000);
  utimesSync(file, changed, changed);
  const config = configOf(folder, KEYS);
  return (await checkTicketKeys(config, NOW)).map(({ verdict, message, advice }) => {
    return [`${verdict}: ${message}`, ...advice].join('; ').replaceAll(`${folder}/`, '');
  });
}

test('ticket keys that are fresh and secret are good; without a file there is no finding', async (t) => {
  t.same(await checkKeys(KEY), ['good: ticket.keys has 1 key, and was changed on 2030-06-15']);
  t.same(await checkTicketKeys(configOf('/nowhere'), NOW), []);
});

test('ticket keys that others can read, that are no keys, or that are not there are bad', async (t) => {
  t.same(await checkKeys(KEY, 0o644), [
    'bad: other users can read ticket.keys (mode 0644), and with it they can decrypt sessions; chmod o= ticket.keys',
  ]);
  t.match(await checkKeys(KEY.slice(4)), [
    /^bad: .*ticket\.keys: line 1 is not a key; .*openssl rand -base64 48/,
  ]);
  t.match(await checkKeys(''), [/^bad: .*ticket\.keys: has no key/]);
  const config = configOf('/nowhere', KEYS);
  t.match(await checkTicketKeys(config, NOW), [
    { verdict: 'bad', message: /\/nowhere\/ticket\.keys: cannot be read: ENOENT/ },
  ]);
});

test('ticket keys that nobody changes are a note', async (t) => {
  const [good, note] = await checkKeys(KEY, 0o600, 40);
  t.match(good, /^good/);
  t.equal(
    note,
    'warning: ticket.keys was not changed for 40 days; with an old key, an attacker can decrypt all sessions of its time; ' +
      'every day, add a new key as the first line and remove the oldest; docs/scaling.md has the commands',
  );
});

async function storeFindings(port: number, more: Table = {}): ReturnType<typeof checkStore> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-store-'));
  writeFileSync(join(folder, 'password'), 'right-horse\n', { mode: 0o600 });
  const sessionStore = { url: `redis://127.0.0.1:${port}`, timeout: '200ms', ...more };
  return checkStore(configOf(folder, { ...KEYS, sessionStore }), 5_000);
}

test('a session store that stores data is good, and no test data stays in it', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const server = await startRedis();
  t.teardown(() => server.kill());
  t.match(await storeFindings(server.port), [
    {
      check: 'store',
      verdict: 'good',
      message: `127.0.0.1:${server.port} stores data and answers within`,
    },
  ]);
  t.equal(server.ask('DBSIZE'), '0');
});

test('a session store that is unreachable, requires a password, or stores nothing is bad, with its own error', async (t) => {
  if (!hasPeer(t, 'redis', redisLack())) return;
  const away = await freePort();
  t.match(await storeFindings(away), [
    { verdict: 'bad', message: /^127\.0\.0\.1:\d+: .*ECONNREFUSED/, advice: [/sessions resume by id only/] },
  ]);
  const locked = await startRedis({ more: ['--requirepass', 'right-horse'] });
  t.teardown(() => locked.kill());
  t.match(await storeFindings(locked.port), [{ verdict: 'bad', message: /NOAUTH/ }]);
  t.match(await storeFindings(locked.port, { 'password-file': 'password' }), [{ verdict: 'good' }]);
  t.match(await storeFindings(locked.port, { 'password-file': 'gone' }), [
    { verdict: 'bad', message: /gone: cannot be read: there is no such file/ },
  ]);
  const full = await startRedis({ more: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'] });
  t.teardown(() => full.kill());
  t.match(await storeFindings(full.port), [{ verdict: 'bad', message: /OOM/ }]);
});
