/** What a person reads of a connection. */
import { test } from 'tap';
import { ConnectionRecord } from '../../src/observe/connection-record.js';
import type { LogEntry } from '../../src/observe/events.js';
import { createLog } from '../../src/observe/log.js';
import { eventSentence } from '../../src/observe/sentence.js';
import { terminalLine } from '../../src/observe/terminal-line.js';
import { readHello } from '../support/hellos.js';
import { makeConnection } from '../support/status-fixture.js';

const PLAIN = { colour: false, withFields: false };

function closed(prepare: (record: ConnectionRecord) => void): LogEntry {
  const record = new ConnectionRecord('mx', { address: '192.0.2.7', port: 4000 });
  prepare(record);
  return { event: 'connection_closed', fields: record.event(), level: 'info' };
}

test('the sentence of a connection has client, hello, TLS, helo name, bytes, duration and end', async (t) => {
  const entry = closed((record) => {
    record.setHello(readHello({ format: 'sslv2', version: 0x0301, suites: [4, 0x2f] }));
    record.established({ path: 'engine', version: 'TLSv1', suite: 'AES128-SHA', resumed: true });
    record.setHelo('old.example');
    record.fromClient = 1_234_567;
    record.toClient = 345;
  });
  t.match(
    eventSentence(entry),
    /^192\.0\.2\.7, SSLv2-format hello up to TLSv1, TLSv1 AES128-SHA resumed, helo old\.example, 1235 kB in, 345 B out, \d+ ms: completed$/,
  );
});

test('the sentence of a failure ends with the reason, the explanation and what to do', async (t) => {
  const entry = closed((record) => {
    record.setHello(readHello({ version: 0x0300, suites: [4] }));
    record.recordFailure({
      outcome: 'handshake_refused',
      reason: 'no_shared_version',
      explanation: 'It is. What to do: that.',
    });
  });
  t.match(
    eventSentence(entry),
    /^192\.0\.2\.7, hello up to SSLv3, 0 B in, 0 B out, \d+ ms: handshake_refused \(no_shared_version\): It is\. What to do: that\.$/,
  );
});

test('a terminal shows one line per event, and the fields of those without a sentence of their own', async (t) => {
  const line = terminalLine(
    { event: 'restart_needed', fields: { file: 'a.toml', keys: ['server.workers'] }, level: 'warn' },
    0,
    PLAIN,
  );
  t.match(
    line,
    /^\d\d:\d\d:\d\d WARN {2}some of the changed keys .* \(file=a\.toml, keys=\["server\.workers"\]\)\n$/,
  );
  const root = terminalLine(
    {
      event: 'privileges',
      fields: { user: 'root', capabilities: Array.from({ length: 38 }, (_, bit) => `CAP_${bit}`) },
      level: 'info',
    },
    0,
    PLAIN,
  );
  t.match(root, / INFO {2}running as root, with 38 capabilities\n$/);
});

test('no text moves the cursor or begins a second line', async (t) => {
  const error = 'a\u001b[2Jb\nc\u202ed\u0085e';
  const line = terminalLine({ event: 'internal_error', fields: { error }, level: 'error' }, 0, PLAIN);
  t.match(line, /a\\u001b\[2Jb\\u000ac\\u202ed\\u0085e\)\n$/);
});

test('stopped is the last line, after what was held back', async (t) => {
  const events: string[] = [];
  const { log } = createLog({
    level: 'info',
    repeatLimit: 1,
    write: (line) => events.push((JSON.parse(line) as { event: string }).event),
  });
  const failure = makeConnection('192.0.2.1', { tls: undefined, outcome: 'not_tls', fault: 'client' });
  for (let again = 0; again < 3; again++) log('connection_closed', failure);
  log('stopped');
  t.same(events, ['connection_closed', 'repeated', 'stopped']);
});
