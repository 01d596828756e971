/** The views of a report: for terminals of any width, spreadsheets and browsers. */
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { test, type Test } from 'tap';
import { csvView } from '../../src/report/csv-view.js';
import { htmlView } from '../../src/report/html-view.js';
import { LogReader } from '../../src/report/log-reader.js';
import { Progress } from '../../src/report/progress.js';
import { Tally, type Report } from '../../src/report/tally.js';
import { textView } from '../../src/report/text-view.js';
import { loadReportPage } from '../../src/report/page.js';
import { noBrowser, openBrowser } from '../support/browser.js';
import { drawnBars } from '../support/drawn-bars.js';
import { OLDEST, connectionLine, type LoggedAs } from '../support/log-lines.js';
import { hasPeer } from '../support/peers/require-peer.js';

const DES = { version: 'TLSv1', suite: 'DES-CBC3-SHA' };

/** The build makes it. */
const BUILT_PAGE = loadReportPage(new URL('../../dist/report/page.json', import.meta.url));

function reportOf(...connections: LoggedAs[]): Report {
  const tally = new Tally({ since: undefined, until: undefined });
  const reader = new LogReader();
  for (const connection of connections) tally.add(reader.read(Buffer.from(connectionLine(connection))));
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

/** As wide as rows become: IPv6, long names, several needs. */
const WIDE_ROWS = reportOf(
  ...['192.0.2.7', '2001:db8:ffff:ffff:ffff:ffff:ffff:fff1', '203.0.113.255'].map((address) => ({
    address,
    helo: 'ups-monitor-in-the-basement.building-17.campus.example',
    hello: { format: 'sslv2', version: 0x0301, suites: [0x0a] } as const,
    tls: DES,
  })),
  { hello: OLDEST, address: '2001:db8::1' },
);

test('the text report names the senders that would be cut off, in sentences, with a chart and tables', async (t) => {
  const text = textView(THIRTY_DAYS, { width: 100, color: false, top: 20 });
  t.match(
    text,
    /^2026-11-01 to 2026-11-30, 30 days: 31 connections, 30 with TLS, 31 with old hellos, 0 in clear/,
  );
  t.match(
    text,
    /SSLv2-format hellos +3 senders, 30 connections in 30 days\n +mx0\.old\.example \[192\.0\.2\.0\], /,
  );
  t.match(text, /3DES +3 senders, 30 connections/);
  t.match(text, /RC4 +no sender/);
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
  t.equal(textView(reportOf(), { width: 80, color: false, top: 20 }), 'no connections found\n');
  t.match(htmlView(reportOf(), BUILT_PAGE), /no connections found/);
});

test('the CSV quotes what needs it and lets no name be a formula', async (t) => {
  const [header, row, end] = csvView(reportOf({ hello: OLDEST, helo: '=1+1,x' })).split('\r\n');
  t.match(header, /^address,helo,format/);
  t.match(row, /^192\.0\.2\.1,"'=1\+1,x",sslv2,SSLv3,,,/);
  t.equal(end, '');
});

test('the page carries all it needs, and a policy that allows exactly that', async (t) => {
  const page = htmlView(reportOf({ hello: OLDEST, helo: '<script>alert(1)</script>' }), BUILT_PAGE);
  t.notMatch(page, /<script>alert/, 'a name is no script');
  t.notMatch(page, /(?:src|href)=/, 'nothing is loaded');
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'");
  t.match(policy, /^default-src 'none';/);
  t.notMatch(policy, /unsafe/);
  const inline = [...page.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)].map(([, , text]) => text!);
  t.equal(inline.length, 2);
  for (const text of inline) {
    t.ok(policy.includes(createHash('sha256').update(text).digest('base64')), 'its hash is in the policy');
  }
});

/** Opens a report from a file, and fails where the browser refused or missed anything. */
async function openReport(t: Test, report: Report, width: number, look: (page: Page) => Promise<void>) {
  if (!hasPeer(t, 'chromium', noBrowser)) return;
  const file = join(mkdtempSync(join(tmpdir(), 'oldhello-page-')), 'report.html');
  writeFileSync(file, htmlView(report, BUILT_PAGE));
  const { context, close } = await openBrowser({ viewport: { width, height: 800 } });
  t.teardown(close);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`file://${file}`);
  await page.waitForSelector('#chart canvas');
  await look(page);
  t.same(complaints, [], 'no errors, and nothing that the policy forbids');
}

/** In the browser: what is wider than its place. */
const CUT_OFF = `[...document.querySelectorAll('html, section, td > span')]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .map((one) => one.outerHTML.slice(0, 80))`;

for (const width of [390, 1280]) {
  test(`no table of the page is cut off in a window ${width} pixels wide`, async (t) => {
    await openReport(t, WIDE_ROWS, width, async (page) => {
      t.match(await page.locator('#senders-body').innerText(), /ups-monitor/);
      t.same(await page.evaluate(CUT_OFF), []);
    });
  });
}

test('a log of one day makes one bar, no wider than a bar of a week', async (t) => {
  await openReport(t, reportOf({ hello: OLDEST }), 1280, async (page) => {
    const { left, right, count, plot } = await drawnBars(page, 'sslv2');
    t.equal(count, 1);
    t.ok(right - left <= 40, `${right - left} pixels wide`);
    t.ok(left >= plot.right - plot.width / 7 && right <= plot.right, 'in the last of seven days');
    t.match(await page.getAttribute('#chart', 'aria-label'), 'Old hellos, 1 day: 1 SSLv2-format hello');
  });
});

test('a log of three years makes bars that stand apart', async (t) => {
  const monthly = Array.from({ length: 36 }, (_, month) => ({
    time: new Date(Date.UTC(2023, month, 15, 12)).toISOString(),
    hello: OLDEST,
  }));
  await openReport(t, reportOf(...monthly), 1280, async (page) => {
    t.equal((await drawnBars(page, 'sslv2')).count, 36);
  });
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
