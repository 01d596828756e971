/** Who sends, in bounded memory. */
import { test } from 'tap';
import type { LoggedConnection } from '../../src/report/log-line.js';
import { SenderTable } from '../../src/report/sender-table.js';

const connection = (address: string): LoggedConnection => ({
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
    for (let busy = 0; busy < 5; busy += 1) table.count(connection(`192.0.2.${busy}`), []);
    table.count(connection(`198.51.100.${round}`), []);
  }
  const ranked = table.ranked();
  t.ok(ranked.length <= 20, `${ranked.length} entries`);
  t.same(
    ranked.slice(0, 5).map(({ address, connections }) => [address, connections]),
    [0, 1, 2, 3, 4].map((busy) => [`192.0.2.${busy}`, 1000]),
  );
  const listed = ranked.reduce((sum, { connections }) => sum + connections, 0);
  t.equal(listed + table.others.connections, 6000);
  t.equal(ranked.length + table.others.senders, 1005);
});
