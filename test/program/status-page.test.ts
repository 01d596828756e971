/** The status page in a real browser: what it shows, on a phone, in the dark, without its script, and to hostile names. */
import { test, type Test } from 'tap';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.js';
import { drawnBars } from '../support/drawn-bars.js';
import { hasPeer } from '../support/peers/require-peer.js';
import {
  makeConnection,
  makeHello,
  startEmptyStatusFixture,
  startStatusFixture,
  type Fixture,
} from '../support/status-fixture.js';

const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740 };

/** Opens the page for `look`, and fails where the browser had anything to complain of. */
async function openPage(
  t: Test,
  options: BrowserContextOptions,
  look: (page: Page, fixture: Fixture) => Promise<void>,
  prepare: (fixture: Fixture) => void = () => undefined,
  start: () => Promise<Fixture> = startStatusFixture,
): Promise<void> {
  if (!hasPeer(t, 'chromium', noBrowser)) return;
  const fixture = await start();
  prepare(fixture);
  const { context, close } = await openBrowser(options);
  t.teardown(close);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(fixture.url)) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(fixture.url);
  if (options.javaScriptEnabled !== false) await page.waitForSelector('#chart canvas');
  await look(page, fixture);
  t.same(complaints, [], 'no errors, no violations of the policy, nothing from elsewhere');
}

const column = (page: Page, table: string, index: number): Promise<string[]> =>
  page.locator(`#${table}-body tr td:nth-child(${index})`).allInnerTexts();

const widths = (page: Page): Promise<unknown> =>
  page.evaluate('[document.documentElement.scrollWidth, window.innerWidth]');

test('the page shows who sends old hellos, and everything around them', async (t) => {
  await openPage(t, { viewport: DESKTOP }, async (page) => {
    t.same(await column(page, 'senders', 1), [
      '203.0.113.200',
      '203.0.113.60',
      '2001:db8:40:1::25',
      '198.51.100.77',
      '198.51.100.4',
      '192.0.2.17',
    ]);
    t.match(
      await page.locator('#senders-body').innerText(),
      /billing\.example.*SSLv2 format.*SSLv3.*RC4-MD5.*JSSE 6/s,
    );
    t.match(await page.locator('#summary').innerText(), /Backends up\s+1 of 2\s+down: exim/);
    t.match(
      await page.locator('#listeners-body').innerText(),
      /mx\s+\[::\]:25\s+after STARTTLS\s+postfix\s+3/,
    );
    t.match(await page.locator('#certificates-body').innerText(), /legacy\.pem/);
    t.match(await page.locator('#limits-body').innerText(), /max-connections-per-address\s+50\s+1/);
    t.match(await page.locator('#suppressed-body').innerText(), /203\.0\.113\.200\s+5/);
    t.match(await page.locator('#connections-body').innerText(), /2001:db8::5/);
    t.match(await page.getAttribute('#chart', 'aria-label'), /Old hellos, 7 days: \d+ SSLv2-format hello/);
    await page.getByRole('button', { name: '90 days' }).click();
    t.match(await page.getAttribute('#chart', 'aria-label'), /Old hellos, 90 days/);
  });
});

for (const viewport of [DESKTOP, PHONE]) {
  test(`the first message is a bar in the present hour or day, ${viewport.width} pixels wide`, async (t) => {
    await openPage(
      t,
      { viewport },
      async (page) => {
        for (const [range, slots] of [
          ['24 hours', 24],
          ['7 days', 7 * 24],
          ['90 days', 90],
        ] as const) {
          await page.getByRole('button', { name: range }).click();
          const { left, right, height, plot } = await drawnBars(page, 'sslv2');
          const shown = JSON.stringify({ left, right, height, plot });
          t.ok(right - left >= 1, `${range}: a bar is drawn: ${shown}`);
          t.ok(left >= plot.right - plot.width / slots - 1, `${range}: not before the last slot: ${shown}`);
          t.ok(right <= plot.right + 1, `${range}: not beyond the plot: ${shown}`);
          t.ok(
            Math.abs(height - plot.height / 4) <= 2,
            `${range}: one of the four that the axis has: ${shown}`,
          );
        }
      },
      ({ channel }) => channel.log('connection_closed', makeConnection('192.0.2.17')),
      startEmptyStatusFixture,
    );
  });
}

test('limits that have rejected nobody are folded away', async (t) => {
  await openPage(t, { viewport: DESKTOP }, async (page) => {
    t.same(await column(page, 'limits', 1), ['max-connections-per-address']);
    t.notOk(await page.locator('#all-limits-body').isVisible());
    await page.locator('#limits summary').click();
    t.match(await page.locator('#all-limits-body').innerText(), /idle-timeout\s+11m/);
  });
});

test('panels keep their distance from each other', async (t) => {
  await openPage(t, { viewport: DESKTOP }, async (page) => {
    const touching = await page.evaluate(`(() => {
      const boxes = [...document.querySelectorAll('main > section, .columns > section')].map((one) => one.getBoundingClientRect());
      const near = (a, b) => a.left < b.right && b.left < a.right && b.top >= a.bottom - 1 && b.top - a.bottom < 12;
      return boxes.flatMap((a) => boxes.filter((b) => a !== b && near(a, b))).length;
    })()`);
    t.equal(touching, 0);
  });
});

test('its tables sort by what their columns mean, and by keyboard', async (t) => {
  await openPage(t, { viewport: DESKTOP }, async (page) => {
    const header = page.getByRole('columnheader', { name: 'Connections' }).first();
    await page.locator('#senders').getByRole('button', { name: 'Connections' }).focus();
    await page.keyboard.press('Enter');
    const counts = (await column(page, 'senders', 10)).map((text) => Number(text.replace(/\s/g, '')));
    t.same(
      counts,
      [...counts].sort((a, b) => b - a),
      'numbers from the top',
    );
    t.equal(await page.locator('#senders th[aria-sort]').getAttribute('aria-sort'), 'descending');
    await page.keyboard.press('Enter');
    t.same(
      (await column(page, 'senders', 10)).map((text) => Number(text.replace(/\s/g, ''))),
      counts.reverse(),
    );
    t.ok(await header.isVisible());
  });
});

test('new numbers come by themselves, and the order that was chosen stays', async (t) => {
  await openPage(t, { viewport: DESKTOP }, async (page, fixture) => {
    await page.locator('#senders').getByRole('button', { name: 'HELO name' }).click();
    fixture.channel.log(
      'connection_closed',
      makeConnection('192.0.2.200', { smtp: { helo: 'aaa.example' } }),
    );
    await page.getByText('aaa.example').waitFor();
    t.equal((await column(page, 'senders', 2))[0], 'aaa.example');
    await page.getByRole('button', { name: 'Pause' }).click();
    t.ok(await page.getByRole('button', { name: 'Resume' }).isVisible());
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`it has enough contrast to be read in ${colorScheme} colours`, async (t) => {
    await openPage(t, { viewport: DESKTOP, colorScheme }, async (page) => {
      const pale = await page.evaluate(PALE_TEXT);
      t.same(pale, [], 'WCAG 2.2, 1.4.3: 4.5 to 1');
      const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      t.equal(luminance(String(background)) > 0.5, colorScheme === 'light');
    });
  });
}

for (const javaScriptEnabled of [true, false]) {
  test(`a phone shows it without scrolling sideways, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async (t) => {
    await openPage(t, { viewport: PHONE, javaScriptEnabled }, async (page) => {
      t.same(await widths(page), [PHONE.width, PHONE.width]);
      const label = await page.evaluate(
        "getComputedStyle(document.querySelector('#senders-body td'), '::before').content",
      );
      t.equal(label, '"Address"', 'each value says what it is');
    });
  });
}

test('without JavaScript there are the same tables, and numbers for the chart', async (t) => {
  await openPage(t, { viewport: DESKTOP, javaScriptEnabled: false }, async (page) => {
    t.equal((await column(page, 'senders', 1)).length, 6);
    t.ok(await page.locator('#days-table').isVisible());
    t.equal((await column(page, 'days', 1)).length, 14);
    t.match(await page.locator('noscript').innerText(), /With JavaScript there is a chart here/);
    t.notOk(await page.locator('#pause').isVisible(), 'and no button that does nothing');
    t.same(
      await page.evaluate(
        "[...document.querySelectorAll('table')].map((one) => one.caption.textContent.trim() !== '')",
      ),
      Array.from({ length: 10 }, () => true),
      'every table says what it is',
    );
  });
});

test('what a client calls itself stays text', async (t) => {
  if (!hasPeer(t, 'chromium', noBrowser)) return;
  const hostile = [
    '<script>document.title=1</script>',
    '<img src=x onerror=document.title=1>',
    '"><svg/onload=document.title=1>',
    "' onmouseover='document.title=1",
    '${document.title=1}',
    '</td></table><h1>gone</h1>',
    'a'.repeat(255),
  ];
  const prepare = ({ channel }: Fixture): void => {
    for (const [index, helo] of hostile.entries()) {
      const library = hostile[index]!;
      channel.log(
        'connection_closed',
        makeConnection(`192.0.2.${100 + index}`, {
          smtp: { helo },
          hello: makeHello('sslv2', 'TLSv1', library),
        }),
      );
    }
  };
  await openPage(
    t,
    { viewport: PHONE },
    async (page) => {
      const shown = await column(page, 'senders', 2);
      t.same(shown.slice(0, hostile.length).reverse(), hostile);
      t.equal(await page.title(), 'oldhello');
      t.equal(await page.locator('h1').count(), 1);
      t.same(await widths(page), [PHONE.width, PHONE.width], 'and a long one breaks');
    },
    prepare,
  );
});

/** In the browser: the texts that stand out too little from what is behind them. */
const PALE_TEXT = `(() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let one = node; one !== null; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === '' || !node.checkVisibility() || node.closest('noscript')) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
    if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) found.push(walker.currentNode.data.trim());
  }
  return found;
})()`;

/** Roughly, of "rgb(r, g, b)": 0 to 1. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return (red + green + blue) / (3 * 255);
}
