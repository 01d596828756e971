/** A defect in what describes a connection costs the description, and nothing else. */
import { test } from 'tap';
import { ConnectionRecord } from '../../src/observe/connection-record.js';
import { guarded, reportDefectsTo } from '../../src/observe/guard.js';
import { createLogChannel } from '../../src/observe/log.js';
import { readHello } from '../support/hellos.js';
import { makeConnection } from '../support/status-fixture.js';

const fail = (): string => {
  throw new Error('defect');
};

test('an observation that throws gives undefined, and is reported once', async (t) => {
  const reports: string[] = [];
  reportDefectsTo((error) => reports.push(error));
  t.equal(
    guarded('whole', () => 1),
    1,
  );
  for (let again = 0; again < 3; again++) t.equal(guarded('broken', fail), undefined);
  t.equal(reports.length, 1);
  t.match(reports[0], /^broken: Error: defect\n/);
});

test('a report that throws is left alone', async (t) => {
  reportDefectsTo(fail);
  t.equal(guarded('broken with a broken report', fail), undefined);
});

test('a subscriber that throws keeps no event from the others, and the caller goes on', async (t) => {
  const seen: string[] = [];
  const channel = createLogChannel(fail, ({ event }) => seen.push(event));
  channel.log('connection_closed', makeConnection('192.0.2.1'));
  channel.log('stopped');
  t.same(seen, ['connection_closed', 'stopped']);
});

test('a connection whose hello or failure cannot be described is logged without the description', async (t) => {
  const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
  const hello = readHello({ format: 'sslv2', version: 0x0300, suites: [4] });
  record.setHello({
    ...hello,
    get cipherSuites(): number[] {
      throw new Error('defect');
    },
  });
  record.recordFailure({ outcome: 'handshake_refused', reason: 'no_shared_version', explanation: fail });
  const event = record.event();
  t.equal(event.outcome, 'handshake_refused');
  t.equal(event.reason, 'no_shared_version');
  t.equal(event.hello, undefined);
});
