/** Logs as they are found: rotated, compressed, cut short, damaged, wrapped by the journal. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { csvView } from '../../src/report/csv-view.js';
import { MAX_LINE_BYTES } from '../../src/report/lines.js';
import { readReport, type ReadReport } from '../../src/report/read-report.js';
import { OLDEST, connectionLine } from '../support/log-lines.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'oldhello-report-'));
const RC4 = { version: 'SSLv3', suite: 'RC4-MD5' };
const ALWAYS = { since: undefined, until: undefined };
let files = 0;

function file(content: string | Buffer): string {
  const path = join(FOLDER, `log-${files++}`);
  writeFileSync(path, content);
  return path;
}

const read = (...contents: (string | Buffer)[]): Promise<ReadReport> =>
  readReport(contents.map(file), ALWAYS, () => undefined);

test('rotated files are read together, compressed or not, and members of gzip behind each other', async (t) => {
  const line = `${connectionLine({ hello: OLDEST, tls: RC4 })}\n`;
  const members = Buffer.concat([gzipSync(line), gzipSync(line + line)]);
  const { report, damaged } = await read(line, gzipSync(line), members, '', gzipSync(''));
  t.match(report, { connections: 5, withTls: 5, old: 5, lines: { total: 5, broken: 0 } });
  t.same(damaged, []);
  t.match(report.switchOffs, {
    sslv2_hello: { senders: 1, connections: 5 },
    sslv3: { senders: 1, connections: 5 },
    tls1_1: { senders: 1, connections: 5 },
    rc4: { senders: 1, connections: 5 },
    '3des': { senders: 0, connections: 0 },
    static_rsa: { senders: 1, connections: 5 },
  });
});

test('of a compressed file that was cut short or damaged, what comes before the damage counts', async (t) => {
  const lines = Array.from({ length: 4000 }, (_, index) =>
    connectionLine({ address: `192.0.2.${index % 250}`, hello: OLDEST }),
  );
  const whole = gzipSync(`${lines.join('\n')}\n`);
  const cut = await read(whole.subarray(0, whole.length - 200));
  t.ok(cut.report.connections > 3000, `${cut.report.connections} of 4000`);
  t.match(cut.damaged, [{ why: /unexpected end/ }]);
  const flipped = Buffer.from(whole);
  flipped.fill(0xff, whole.length >> 1, (whole.length >> 1) + 400);
  const bad = await read(flipped, `${lines[0]}\n`);
  t.equal(bad.damaged.length, 1);
  t.ok(bad.report.connections > 1, 'and the files after it');
});

test('nothing in a line of the log moves the cursor of the terminal that shows the report', async (t) => {
  const line = JSON.parse(connectionLine({ hello: OLDEST, tls: RC4 })) as { hello: object };
  const hello = { ...line.hello, library: 'a\u001b[2J', needs: ['sslv3', 'b\u001b[2J', 'x'.repeat(1000), 7] };
  const { report } = await read(JSON.stringify({ ...line, hello }));
  t.same(report.senders[0]?.needs, ['sslv3', 'b?[2J', 'x'.repeat(255)]);
  t.notMatch(csvView(report), /\u001b/);
});

test('broken lines are counted and nothing else', async (t) => {
  const good = connectionLine({ hello: OLDEST, tls: RC4 });
  const { report } = await read(
    [
      good,
      'not JSON',
      '[1,2]',
      '"connection"',
      good.slice(0, 100),
      '{"event":"connection_closed"}',
      '{"event":"connection_closed","time":"yesterday","client":{"address":"192.0.2.1"},"outcome":"completed"}',
      '',
      '{"event":"stopped","time":"2026-11-01T08:00:00.000Z"}',
      good,
    ].join('\n'),
  );
  t.match(report, { connections: 2, lines: { total: 9, broken: 3, text: 3, tooLong: 0 } });
});

test('lines may end with CR LF, follow NULs that a crash left, or be too long to be lines', async (t) => {
  const good = connectionLine({ hello: OLDEST });
  const long = 'x'.repeat(MAX_LINE_BYTES + 1);
  const { report } = await read(
    `${good}\r\n${'\0'.repeat(5000)}${good}\n${long}\n${good}\n${long.repeat(3)}`,
  );
  t.match(report, { connections: 3, lines: { total: 5, broken: 0, tooLong: 2 } });
});

test("the journal's JSON is read, as text and as bytes, and other programs' lines are passed over", async (t) => {
  const good = connectionLine({ hello: OLDEST });
  const journal = (MESSAGE: unknown): string => JSON.stringify({ PRIORITY: '6', _COMM: 'node', MESSAGE });
  const { report } = await read(
    [
      journal(good),
      journal([...Buffer.from(good)]),
      journal(null),
      journal('Started oldhello.'),
      journal('{'),
    ].join('\n'),
  );
  t.match(report, { connections: 2, lines: { total: 5, broken: 1 } });
});

test('connections that the log only counted count', async (t) => {
  const repeated = { event: 'repeated', time: '2026-11-02T00:00:00.000Z', network: '192.0.2.0/24' };
  const { report } = await read(
    [
      connectionLine({ hello: OLDEST }),
      JSON.stringify({ ...repeated, outcome: 'handshake_refused', reason: 'no_shared_version', count: 41 }),
      JSON.stringify({ ...repeated, outcome: 'handshake_refused', count: 'many' }),
      JSON.stringify({ ...repeated, outcome: 'plaintext', count: 5 }),
      JSON.stringify({ ...repeated, outcome: 'left_after_handshake', count: 3 }),
    ].join('\n'),
  );
  t.match(report, {
    connections: 50,
    plaintext: 5,
    withTls: 3,
    failures: [{ outcome: 'handshake_refused', reason: 'no_shared_version', connections: 42 }],
    lines: { broken: 1 },
  });
});

test('only the period that was asked for counts', async (t) => {
  const days = ['2026-10-31T23:59:59.999Z', '2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z'];
  const path = file(days.map((time) => connectionLine({ time, hello: OLDEST })).join('\n'));
  const period = { since: '2026-11-01T00:00:00.000Z', until: '2026-11-02T00:00:00.000Z' };
  const { report } = await readReport([path], period, () => undefined);
  t.match(report, { connections: 1, first: days[1], last: days[1], lines: { outsidePeriod: 2 } });
});

test('what fails already breaks nobody when it is switched off, and clients of today are no old senders', async (t) => {
  const modern = {
    version: 0x0303,
    suites: [0x1301],
    extensions: [[43, Buffer.from([2, 3, 4])]] as [number, Buffer][],
  };
  const { report } = await read(
    [
      connectionLine({ hello: OLDEST }),
      connectionLine({ hello: modern, tls: { version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256' } }),
      connectionLine(),
    ].join('\n'),
  );
  t.match(report, { connections: 3, withTls: 1, plaintext: 1, old: 1 });
  t.match(report.senders, [{ version: 'SSLv3', connections: 1, failed: 1, breaks: [] }]);
  t.same(
    Object.values(report.switchOffs).map(({ connections }) => connections),
    [0, 0, 0, 0, 0, 0, 0, 0],
  );
});

test('a peer cannot put control characters on the terminal through the log', async (t) => {
  const line = connectionLine({ hello: OLDEST }).replace('192.0.2.1', '\\u001b[2J\\u009b1m');
  const { report } = await read(line);
  t.equal(report.senders[0]?.address, '?[2J?1m');
});
