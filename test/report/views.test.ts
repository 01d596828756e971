/** The views of a report: for terminals of any width, spreadsheets and browsers. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { csvView } from '../../src/report/csv-view.js';
import { htmlView } from '../../src/report/html-view.js';
import { readLogLine } from '../../src/report/log-line.js';
import { Progress } from '../../src/report/progress.js';
import { Tally, type Report } from '../../src/report/tally.js';
import { textView } from '../../src/report/text-view.js';
import { OLDEST, sessionLine, type LoggedAs } from '../support/log-lines.js';
import { hasPeer } from '../support/peers/require-peer.js';

const DES = { version: 'TLSv1', suite: 'DES-CBC3-SHA' };

function reportOf(...sessions: LoggedAs[]): Report {
  const tally = new Tally({ since: undefined, until: undefined });
  for (const session of sessions) tally.add(readLogLine(Buffer.from(sessionLine(session))));
  return tally.report(0);
}

const THIRTY_DAYS = reportOf(
  ...Array.from({ length: 30 }, (_, day) => ({
    time: `2026-11-${String(day + 1).padStart(2, '0')}T12:00:00.000Z`,
    address: `192.0.2.${day % 3}`,
    helo: `mx${day % 3}.old.example`,
    hello: { format: 'sslv2', version: 0x0301, suites: [0x0a] } as const,
    tls: DES,
  })),
  { hello: OLDEST, address: '2001:db8::1' },
);

test('the terminal says who would be cut off, in sentences, with a chart and tables', async (t) => {
  const text = textView(THIRTY_DAYS, { width: 100, color: false, top: 20 });
  t.match(
    text,
    /^2026-11-01 to 2026-11-30, 30 days: 31 sessions, 30 with TLS, 31 with old hellos, 0 in clear/,
  );
  t.match(
    text,
    /SSLv2-format hellos +3 senders, 30 sessions in 30 days\n +mx0\.old\.example \[192\.0\.2\.0\], /,
  );
  t.match(text, /3DES +3 senders, 30 sessions/);
  t.match(text, /RC4 +nobody/);
  t.match(text, /█/);
  t.match(text, /sslv2 +up to TLSv1 +TLSv1 DES-CBC3-SHA +30/);
  t.match(text, /1 {2}handshake_refused +no_shared_version/);
  t.notMatch(text, /\x1b/, 'no colour where there is none');
  t.match(textView(THIRTY_DAYS, { width: 100, color: true, top: 20 }), /\x1b\[1m/);
});

test('no line is wider than the terminal', async (t) => {
  for (const width of [40, 60, 80, 132]) {
    const lines = textView(THIRTY_DAYS, { width, color: false, top: 20 }).split('\n');
    const widest = Math.max(...lines.map(({ length }) => length));
    t.ok(widest <= width, `${widest} of ${width}`);
  }
  t.match(textView(THIRTY_DAYS, { width: 80, color: false, top: 2 }), /and 2 more rows; --top shows more/);
});

test('an empty log makes an empty report, not an error', async (t) => {
  t.equal(textView(reportOf(), { width: 80, color: false, top: 20 }), 'no sessions in these logs\n');
  t.match(htmlView(reportOf()), /no sessions in these logs/);
});

test('the CSV quotes what needs it and lets no name be a formula', async (t) => {
  const [header, row, end] = csvView(reportOf({ hello: OLDEST, helo: '=1+1,x' })).split('\r\n');
  t.match(header, /^address,helo,format/);
  t.match(row, /^192\.0\.2\.1,"'=1\+1,x",sslv2,SSLv3,,,/);
  t.equal(end, '');
});

test('the page carries all it needs, and a policy that allows exactly that', async (t) => {
  const page = htmlView(reportOf({ hello: OLDEST, helo: '<script>alert(1)</script>' }));
  t.notMatch(page, /<script>alert/, 'a name is no script');
  t.notMatch(page, /(?:src|href)=/, 'nothing is loaded');
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!;
  t.match(policy, /^default-src 'none';/);
  t.notMatch(policy, /unsafe/);
  const inline = [...page.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)].map(([, , text]) => text!);
  t.equal(inline.length, 4);
  for (const text of inline) {
    t.ok(policy.includes(createHash('sha256').update(text).digest('base64')), 'its hash is in the policy');
  }
});

const noChromium = spawnSync('chromium', ['--version']).status === 0 ? undefined : 'needs chromium';

test('a browser draws the chart under that policy, from a file, and shows the tables', async (t) => {
  if (!hasPeer(t, 'chromium', noChromium)) return;
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-page-'));
  const file = join(folder, 'report.html');
  writeFileSync(file, htmlView(THIRTY_DAYS));
  const options = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`];
  const { stdout, stderr } = spawnSync(
    'chromium',
    [...options, '--enable-logging=stderr', '--dump-dom', `file://${file}`],
    {
      encoding: 'utf8',
    },
  );
  t.match(stdout, /<div id="chart"><div (?:id="[^"]*" )?class="uplot/);
  t.match(stdout, /<canvas/);
  t.match(stdout, /mx0\.old\.example \[192\.0\.2\.0\]/);
  t.notMatch(stderr, /Content Security Policy|Uncaught/);
});

test('the progress bar is drawn on terminals only, and taken away', async (t) => {
  const drawn: string[] = [];
  const terminal = (isTTY: boolean) => ({ isTTY, write: (text: string) => drawn.push(text) });
  const progress = new Progress(terminal(true), 200);
  progress.add(100);
  progress.end();
  t.match(drawn, [/ 50 % ▕█{15} {15}▏/, '\r\x1b[K']);
  drawn.length = 0;
  const silent = new Progress(terminal(false), 200);
  silent.add(100);
  silent.end();
  t.same(drawn, []);
});
