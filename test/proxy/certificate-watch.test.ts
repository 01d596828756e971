/** Certificates are looked at again each day, for a service that runs for years. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mock } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { createLogChannel, type LogSubscriber } from '../../src/observe/log.js';
import { CertificateWatch } from '../../src/proxy/certificate-watch.js';
import { selfSignedCredential } from '../../src/credentials/credentials.js';

const DAY_MS = 86_400_000;

test('a certificate is logged once when it comes into use, and each day when it expires soon or has expired', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-watch-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const credential = selfSignedCredential(folder, 'mx.example');
  const expiry = Date.parse(credential.info.notAfter);
  let now = expiry - 22.5 * DAY_MS;
  const said: string[] = [];
  const listen: LogSubscriber = ({ event, fields }) => {
    said.push('daysLeft' in fields ? `${event} ${fields.daysLeft}` : event);
  };
  const watch = new CertificateWatch(createLogChannel(listen).log, () => now);
  const nextDays = (days: number): string[] => {
    said.length = 0;
    for (let day = 0; day < days; day += 1) {
      now += DAY_MS;
      mock.timers.tick(DAY_MS);
    }
    return [...said];
  };
  watch.setCertificates([credential]);
  t.same(said, ['certificate 22']);
  t.same(nextDays(1), []);
  t.same(nextDays(2), ['certificate_expires 20', 'certificate_expires 19']);
  t.same(nextDays(20).slice(-2), ['certificate_expires 0', 'certificate_expired -1']);
  watch.setCertificates([
    { ...credential, info: { ...credential.info, notAfter: new Date(now + 90 * DAY_MS).toISOString() } },
  ]);
  t.same(nextDays(3), [], 'a renewed one is what counts');
  watch.setCertificates([credential]);
  watch.close();
  t.same(nextDays(3), [], 'and none when it is over');
});
