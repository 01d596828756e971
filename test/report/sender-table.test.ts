/** Who sends, in bounded memory. */
import { test } from 'tap';
import type { LoggedSession } from '../../src/report/log-line.js';
import { SenderTable } from '../../src/report/sender-table.js';

const session = (address: string): LoggedSession => ({
  time: '2026-11-01T08:00:00.000Z',
  address,
  helo: undefined,
  hello: { format: 'sslv2', version: 'SSLv3', fingerprint: 'f', library: 'unknown', needs: ['sslv2_hello'] },
  tls: undefined,
  outcome: 'handshake_refused',
  reason: undefined,
});

test('busy senders stay, however many come once, and nobody is lost from the sums', async (t) => {
  const table = new SenderTable(10);
  for (let round = 0; round < 1000; round += 1) {
    for (let busy = 0; busy < 5; busy += 1) table.count(session(`192.0.2.${busy}`), []);
    table.count(session(`198.51.100.${round}`), []);
  }
  const ranked = table.ranked();
  t.ok(ranked.length <= 20, `${ranked.length} entries`);
  t.same(
    ranked.slice(0, 5).map(({ address, sessions }) => [address, sessions]),
    [0, 1, 2, 3, 4].map((busy) => [`192.0.2.${busy}`, 1000]),
  );
  const listed = ranked.reduce((sum, { sessions }) => sum + sessions, 0);
  t.equal(listed + table.others.sessions, 6000);
  t.equal(ranked.length + table.others.senders, 1005);
});
